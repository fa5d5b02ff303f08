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
    pub source: VectorSource,
    /// How far apart its vectors lie beside those of a part of weight 1.
    #[serde(default = "one")]
    pub weight: f64,
}

const fn one() -> f64 {
    1.0
}

/// Tokens of a text that a project may have read, at most.
const MAX_TOKENS: usize = 8192;
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
            Self::Concat(parts) => parts.iter().try_for_each(|part| match part {
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

/// Where the vectors of one of several sources lie, and how far apart: what they are moved and scaled by before they stand beside
/// those of the others, so that their mean is 0 and their mean squared length is the square of the source's weight. So no source
/// counts for more because its numbers are larger or there are more of them. Vectors that are all alike become 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Centring {
    pub mean: Vec<f64>,
    /// Factor on the distance to the mean.
    pub factor: f64,
}

impl Centring {
    /// That of these vectors.
    pub fn of(vectors: &[Vec<f64>], weight: f64) -> Self {
        let items = vectors.len();
        let width = vectors.first().map_or(0, Vec::len);
        let mean = |at: usize| vectors.iter().map(|vector| vector[at]).sum::<f64>() / items as f64;
        let mean: Vec<f64> = (0..width).map(mean).collect();
        let squares: f64 =
            vectors.iter().flat_map(|vector| vector.iter().zip(&mean)).map(|(v, m)| (v - m).powi(2)).sum();
        let factor = if squares > 0.0 { weight / (squares / items as f64).sqrt() } else { 0.0 };
        Self { mean, factor }
    }

    /// Adds vectors that it moves and scales to those before, item by item.
    pub fn append(&self, vectors: &[Vec<f64>], joined: &mut [Vec<f64>]) {
        for (joined, vector) in joined.iter_mut().zip(vectors) {
            joined.extend(vector.iter().zip(&self.mean).map(|(value, mean)| (value - mean) * self.factor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_weigh_what_they_are_given_whatever_their_numbers() {
        // Means (1, 0) and 300; squared distances to them 1 and 1, 10,000 and 10,000.
        let small = vec![vec![0.0, 0.0], vec![2.0, 0.0]];
        let large = vec![vec![200.0], vec![400.0]];
        let joined = |parts: &[(&Vec<Vec<f64>>, f64)]| {
            let mut joined = vec![Vec::new(); 2];
            parts.iter().for_each(|(vectors, weight)| Centring::of(vectors, *weight).append(vectors, &mut joined));
            joined
        };
        let found = joined(&[(&small, 1.0), (&large, 0.5), (&vec![vec![7.0]; 2], 1.0)]);
        assert_eq!(found, [[-1.0, 0.0, -0.5, 0.0], [1.0, 0.0, 0.5, 0.0]]);
        assert_eq!(joined(&[(&small, 3.0)]), [[-3.0, 0.0], [3.0, 0.0]]);
    }

    #[test]
    fn what_has_no_meaning_is_said() {
        let part = |source, weight| Part { source, weight };
        let bad = |source: VectorSource| source.check().map_err(|(problem, _)| problem);
        assert!(bad(VectorSource::Concat(vec![])).unwrap_err().contains("empty"));
        let nested = VectorSource::Concat(vec![part(VectorSource::Concat(vec![]), 1.0)]);
        assert!(bad(nested).unwrap_err().contains("part of another"));
        let weightless = VectorSource::Concat(vec![part(VectorSource::Words(8), 0.0)]);
        assert!(bad(weightless).unwrap_err().contains("weight"));
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
