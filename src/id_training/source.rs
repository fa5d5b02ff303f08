//! What the items' vectors come from, and how those of several sources stand beside each other.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What the items' vectors come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum VectorSource {
    /// The words of title, categories and description, hashed into this many dimensions; needs no model.
    Words(usize),
    /// Which items the same users go for, as this many numbers; needs no texts. See [`super::interactions`].
    Interactions(usize),
    /// The same text as a language model reads it; see [`super::embeddings`].
    Text(Text),
    /// A `.npy` file with a row an item. `<name>.ids.txt` beside it says line by line whose row is whose; without it the rows are
    /// in the catalogue's order, which `peso semantic-ids PROJECT --items FILE` writes down.
    Vectors(PathBuf),
    /// Several of these, one after the other in one vector; see [`Centring`].
    Concat(Vec<Part>),
}

/// How a language model makes vectors of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Text {
    /// A Hugging Face folder or a GGUF file; none for the project's base model.
    pub model: Option<PathBuf>,
    /// Tokens of a text that are read, at most.
    pub tokens: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { model: None, tokens: 512 }
    }
}

/// One of several sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What figures call it: `image`. None for a name made of the source. It changes no number and no hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub source: VectorSource,
    /// How far apart its vectors lie beside those of a part of weight 1.
    #[serde(default = "one")]
    pub weight: f64,
}

impl Part {
    /// A source of weight 1 without a name of its own.
    pub const fn of(source: VectorSource) -> Self {
        Self { name: None, source, weight: 1.0 }
    }
}

const fn one() -> f64 {
    1.0
}

/// Tokens of a text that a project may have read, at most.
const MAX_TOKENS: usize = 8192;
/// Characters of a part's name, at most.
const MAX_NAME: usize = 40;
/// Dimensions that words may be hashed into, at most.
const MAX_DIMENSIONS: usize = 65_536;
/// Dimensions of vectors that are made of interactions, at most: each is an eigenvector of all items.
pub const MAX_INTERACTION_DIMENSIONS: usize = 512;

impl VectorSource {
    /// Says what has no meaning, and what has.
    ///
    /// # Errors
    /// Problem, advice.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        match self {
            Self::Words(width) if !(1..=MAX_DIMENSIONS).contains(width) => {
                Err(("words are hashed into 1 to 65536 dimensions", "256 do for ten thousand items"))
            }
            Self::Interactions(width) if !(1..=MAX_INTERACTION_DIMENSIONS).contains(width) => {
                Err(("interactions are made into 1 to 512 dimensions", "64 do for ten thousand items"))
            }
            Self::Vectors(path) if path.as_os_str().is_empty() => {
                Err(("the path is empty", "name a `.npy` file with a row an item"))
            }
            Self::Text(text) if !(1..=MAX_TOKENS).contains(&text.tokens) => {
                Err(("a text is read up to 1 to 8192 tokens", "512 are enough for most descriptions"))
            }
            Self::Text(Text { model: Some(path), .. }) if path.as_os_str().is_empty() => {
                Err(("the model's path is empty", "name a folder or GGUF file, or leave it out for the base model"))
            }
            Self::Concat(parts) if parts.is_empty() => {
                Err(("the list of sources is empty", "for example `Concat([(source: Text()), (source: Words(256))])`"))
            }
            Self::Concat(parts) if has_twins(parts) => {
                Err(("two sources have the same name", "give each a name of its own, or none"))
            }
            Self::Concat(parts) => parts.iter().try_for_each(|part| match part {
                Part { name: Some(name), .. } if !(1..=MAX_NAME).contains(&name.trim().chars().count()) => Err((
                    "the name of a source has 1 to 40 characters",
                    "for example `name: \"image\"`, or leave it out",
                )),
                Part { source: Self::Concat(_), .. } => {
                    Err(("a list of sources is part of another", "put all sources into one list"))
                }
                Part { weight, .. } if !(weight.is_finite() && *weight > 0.0) => {
                    Err(("a weight is no number above 0", "1 is usual; 2 puts items twice as far apart"))
                }
                part => part.source.check(),
            }),
            _ => Ok(()),
        }
    }

    /// The sources that it consists of: its parts, or itself.
    pub fn each(&self) -> Vec<&Self> {
        match self {
            Self::Concat(parts) => parts.iter().map(|part| &part.source).collect(),
            alone => vec![alone],
        }
    }

    /// What its parts are called: by their names, else by what they are; of several that are called alike, with a number.
    pub fn names(&self) -> Vec<String> {
        let name =
            |part: &Part| part.name.as_deref().map_or_else(|| part.source.words(), |name| name.trim().to_owned());
        let Self::Concat(parts) = self else { return vec![self.words()] };
        let mut names: Vec<String> = Vec::with_capacity(parts.len());
        for name in parts.iter().map(name) {
            let numbered = (2..).map(|number| format!("{name} {number}"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|name| !names.contains(name));
            names.push(free.unwrap_or(name));
        }
        names
    }

    /// What it is, in a few words.
    fn words(&self) -> String {
        match self {
            Self::Words(width) => format!("Words({width})"),
            Self::Interactions(width) => format!("Interactions({width})"),
            Self::Text(Text { model: None, .. }) => "Text".to_owned(),
            Self::Text(Text { model: Some(path), .. }) | Self::Vectors(path) => {
                path.file_name().unwrap_or(path.as_os_str()).display().to_string()
            }
            Self::Concat(_) => "Concat".to_owned(),
        }
    }

    /// The same without names, which decide nothing: what identities are made of.
    #[must_use]
    pub fn unnamed(self) -> Self {
        match self {
            Self::Concat(parts) => Self::Concat(parts.into_iter().map(|part| Part { name: None, ..part }).collect()),
            alone => alone,
        }
    }

    /// Whether some text is read by the project's base model.
    pub fn needs_base_model(&self) -> bool {
        self.each().into_iter().any(|source| matches!(source, Self::Text(Text { model: None, .. })))
    }

    /// The same with other paths.
    #[must_use]
    pub fn with_paths(self, path: &dyn Fn(&Path) -> PathBuf) -> Self {
        match self {
            Self::Words(_) | Self::Interactions(_) => self,
            Self::Text(text) => Self::Text(Text { model: text.model.as_deref().map(path), ..text }),
            Self::Vectors(file) => Self::Vectors(path(&file)),
            Self::Concat(parts) => Self::Concat(
                parts.into_iter().map(|part| Part { source: part.source.with_paths(path), ..part }).collect(),
            ),
        }
    }
}

/// Whether two parts were given the same name.
fn has_twins(parts: &[Part]) -> bool {
    let mut names = std::collections::BTreeSet::new();
    parts.iter().filter_map(|part| part.name.as_deref()).any(|name| !names.insert(name.trim()))
}

/// Where the vectors of one of several sources lie, and how far apart: what they are moved and scaled by before they stand beside
/// those of the others, so that their mean is 0 and their mean squared length is the square of the source's weight. So no source
/// counts for more because its numbers are larger or there are more of them, and the squared distance of two items is the sum of
/// their squared distances in each source, each times the square of its factor. Vectors that are all alike become 0, and so does an
/// item without a vector: it lies at the mean of those that have one, and the source says nothing of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Centring {
    pub mean: Vec<f64>,
    /// Factor on the distance to the mean.
    pub factor: f64,
}

impl Centring {
    /// That of these vectors, of which some items may have none.
    pub fn of(vectors: &[Option<Vec<f64>>], weight: f64) -> Self {
        let there = || vectors.iter().flatten();
        let items = there().count().max(1) as f64;
        let width = there().next().map_or(0, Vec::len);
        let mean: Vec<f64> = (0..width).map(|at| there().map(|vector| vector[at]).sum::<f64>() / items).collect();
        let squares: f64 = there().flat_map(|vector| vector.iter().zip(&mean)).map(|(v, m)| (v - m).powi(2)).sum();
        let factor = if squares > 0.0 { weight / (squares / items).sqrt() } else { 0.0 };
        Self { mean, factor }
    }

    /// Adds vectors that it moves and scales to those before, item by item.
    pub fn append(&self, vectors: &[Option<Vec<f64>>], joined: &mut [Vec<f64>]) {
        for (joined, vector) in joined.iter_mut().zip(vectors) {
            match vector {
                Some(vector) => {
                    joined.extend(vector.iter().zip(&self.mean).map(|(value, mean)| (value - mean) * self.factor));
                }
                None => joined.extend(self.mean.iter().map(|_| 0.0)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantic_id::clustering::squared_distance;

    type Vectors = Vec<Option<Vec<f64>>>;

    fn there(rows: &[&[f64]]) -> Vectors {
        rows.iter().map(|row| Some(row.to_vec())).collect()
    }

    fn joined(parts: &[(&Vectors, f64)]) -> Vec<Vec<f64>> {
        let mut joined = vec![Vec::new(); parts[0].0.len()];
        parts.iter().for_each(|(vectors, weight)| Centring::of(vectors, *weight).append(vectors, &mut joined));
        joined
    }

    #[test]
    fn squared_distances_are_the_weighted_sums_of_those_of_the_parts() {
        // Text: mean (1, 1), squared distances to it 2, 2, 2, 2: mean 2. Image: mean 5, squared distances 25, 1, 9, 9: mean 11.
        let text = there(&[&[0.0, 0.0], &[2.0, 0.0], &[0.0, 2.0], &[2.0, 2.0]]);
        let image = there(&[&[0.0], &[4.0], &[8.0], &[8.0]]);
        let found = joined(&[(&text, 1.0), (&image, 0.5)]);
        for (one, other, in_text, in_image) in [(0, 1, 4.0, 16.0), (0, 3, 8.0, 64.0), (2, 3, 4.0, 0.0)] {
            let expected: f64 = 1.0 * in_text / 2.0 + 0.25 * in_image / 11.0;
            let distance = squared_distance(&found[one], &found[other]);
            assert!((distance - expected).abs() < 1e-12, "{one}, {other}: {distance} {expected}");
        }
    }

    #[test]
    fn an_item_without_a_vector_lies_at_the_mean_of_the_others() {
        let image = vec![Some(vec![1.0, 5.0]), None, Some(vec![3.0, 5.0])];
        assert_eq!(Centring::of(&image, 2.0), Centring { mean: vec![2.0, 5.0], factor: 2.0 });
        assert_eq!(joined(&[(&image, 2.0)]), [[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]]);
        // Where nobody has one there is nothing to lie among.
        assert_eq!(joined(&[(&vec![None, None], 1.0)]), [[0.0; 0]; 2]);
    }

    #[test]
    fn parts_are_called_by_their_names_and_by_what_they_are() {
        let named = |name: Option<&str>, source| Part { name: name.map(str::to_owned), ..Part::of(source) };
        let file = || VectorSource::Vectors("a/image.npy".into());
        let parts = vec![
            named(Some(" text "), VectorSource::Words(8)),
            named(None, file()),
            named(None, file()),
            named(None, VectorSource::Text(Text::default())),
        ];
        let source = VectorSource::Concat(parts);
        assert_eq!(source.names(), ["text", "image.npy", "image.npy 2", "Text"]);
        assert_eq!(source.check(), Ok(()));
        assert_eq!(source.unnamed().names()[0], "Words(8)");
        let twins = ["a", "a "].map(|name| named(Some(name), VectorSource::Words(8)));
        assert!(VectorSource::Concat(twins.to_vec()).check().unwrap_err().0.contains("same name"));
        for name in ["", "  ", &"x".repeat(41)] {
            let source = VectorSource::Concat(vec![named(Some(name), VectorSource::Words(8))]);
            assert!(source.check().unwrap_err().0.contains("1 to 40"), "{name}");
        }
    }

    #[test]
    fn parts_weigh_what_they_are_given_whatever_their_numbers() {
        // Means (1, 0) and 300; squared distances to them 1 and 1, 10,000 and 10,000.
        let small = there(&[&[0.0, 0.0], &[2.0, 0.0]]);
        let large = there(&[&[200.0], &[400.0]]);
        let found = joined(&[(&small, 1.0), (&large, 0.5), (&there(&[&[7.0], &[7.0]]), 1.0)]);
        assert_eq!(found, [[-1.0, 0.0, -0.5, 0.0], [1.0, 0.0, 0.5, 0.0]]);
        assert_eq!(joined(&[(&small, 3.0)]), [[-3.0, 0.0], [3.0, 0.0]]);
    }

    #[test]
    fn what_has_no_meaning_is_said() {
        let part = |source, weight| Part { weight, ..Part::of(source) };
        let bad = |source: VectorSource| source.check().map_err(|(problem, _)| problem);
        assert!(bad(VectorSource::Concat(vec![])).unwrap_err().contains("empty"));
        let nested = VectorSource::Concat(vec![part(VectorSource::Concat(vec![]), 1.0)]);
        assert!(bad(nested).unwrap_err().contains("part of another"));
        for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let weightless = VectorSource::Concat(vec![part(VectorSource::Words(8), weight)]);
            assert!(bad(weightless).unwrap_err().contains("weight"), "{weight}");
        }
        let inner = VectorSource::Concat(vec![part(VectorSource::Words(0), 1.0)]);
        assert!(bad(inner).unwrap_err().contains("words"));
        assert!(bad(VectorSource::Interactions(513)).is_err() && bad(VectorSource::Interactions(64)).is_ok());
        assert!(bad(VectorSource::Text(Text { tokens: 0, ..Text::default() })).is_err());
        let both = VectorSource::Concat(vec![
            part(VectorSource::Text(Text::default()), 1.0),
            part(VectorSource::Vectors("image.npy".into()), 0.5),
        ]);
        assert_eq!((bad(both.clone()), both.needs_base_model()), (Ok(()), true));
        let own = Text { model: Some("models/small".into()), tokens: 64 };
        assert!(!VectorSource::Text(own).needs_base_model());
    }
}
