//! Codebooks on disk, with all that makes an item's vector ready for them: a safetensors file.
//!
//! Names of tensors: `codebook/<level>` `[codes, width]` in float64; of an autoencoder `layer/<n>` in float32, `mean` and `scale`;
//! of a source `source/…`: `texts`, `words` and `texts_with` of words; `totals`, `values`, `vectors` and `width` of interactions;
//! `<n>/…` with `mean` and `factor` of each of several.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, View};

use super::interactions::Map;
use super::quantiser::Quantiser;
use super::rq_vae::Autoencoder;
use super::source::{Centring, VectorSource};
use super::statistics::Statistics;
use super::words::Rarity;
use crate::error::InputError;
use crate::files;
use crate::model::adapter::Matrix;
use crate::semantic_id::Codebooks;
use crate::semantic_id::index::MAX_LEVELS;

/// The most bytes of such a file.
const LARGEST: u64 = 1 << 32;

/// What makes ids of items, as training left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub statistics: Statistics,
    pub quantiser: Quantiser,
}

impl Kept {
    /// Writes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), InputError> {
        let mut tensors = Tensors::default();
        let books = &self.quantiser.books;
        for level in 0..books.levels() {
            let codes = 0..books.codes(level) as u32;
            let values = codes.flat_map(|code| books.entry(level, code).unwrap_or_default()).copied().collect();
            tensors.floats(&format!("codebook/{level}"), [books.codes(level), books.width()].to_vec(), values);
        }
        if let Some(Autoencoder { parameters, mean, scale }) = &self.quantiser.autoencoder {
            for (layer, Matrix { rows, columns, values }) in parameters.iter().enumerate() {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
                tensors.add(&format!("layer/{layer}"), Dtype::F32, vec![*rows, *columns], bytes);
            }
            tensors.vector("mean", mean);
            tensors.vector("scale", &[*scale]);
        }
        tensors.statistics("source", &self.statistics);
        let bytes = safetensors::serialize(tensors.0, None)
            .map_err(|error| InputError::new(file, format!("cannot be written: {error}")))?;
        files::write_atomically(file, &bytes)
    }

    /// Reads it, for vectors of this source.
    ///
    /// # Errors
    /// The file is not there, is damaged, or belongs to another source.
    pub fn load(file: &Path, source: &VectorSource) -> Result<Self, InputError> {
        let size = fs::metadata(file).map_err(|error| InputError::io(file, "read", &error))?.len();
        if size > LARGEST {
            return Err(damaged(file, "is larger than codebooks are"));
        }
        let bytes = fs::read(file).map_err(|error| InputError::io(file, "read", &error))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| damaged(file, &error.to_string()))?;
        let read = Read { file, tensors };
        let levels: Vec<Vec<Vec<f64>>> = (0..MAX_LEVELS)
            .map(|level| format!("codebook/{level}"))
            .take_while(|name| read.has(name))
            .map(|name| read.rows(&name))
            .collect::<Result<_, _>>()?;
        let books = Codebooks::new(&levels).ok_or_else(|| damaged(file, "the codebooks do not fit together"))?;
        let layers = (0..).map(|layer| format!("layer/{layer}")).take_while(|name| read.has(name));
        let parameters = layers.map(|name| read.matrix(&name)).collect::<Result<Vec<_>, _>>()?;
        let autoencoder = if parameters.is_empty() {
            None
        } else {
            let found = Autoencoder { parameters, mean: read.vector("mean")?, scale: read.number("scale")? };
            if !found.fits(books.width()) {
                return Err(damaged(file, "the layers do not fit together"));
            }
            Some(found)
        };
        Ok(Self { statistics: read.statistics("source", source)?, quantiser: Quantiser { books, autoencoder } })
    }
}

fn damaged(file: &Path, problem: &str) -> InputError {
    InputError::new(file, format!("codebooks cannot be read: {problem}"))
        .advice("bring the file back from where it was published, or `peso semantic-ids --fresh` makes all ids anew")
}

/// Tensors that are written, by name.
#[derive(Default)]
struct Tensors(BTreeMap<String, Tensor>);

struct Tensor {
    kind: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Tensor {
    fn dtype(&self) -> Dtype {
        self.kind
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl Tensors {
    fn add(&mut self, name: &str, kind: Dtype, shape: Vec<usize>, bytes: Vec<u8>) {
        self.0.insert(name.to_owned(), Tensor { kind, shape, bytes });
    }

    fn floats(&mut self, name: &str, shape: Vec<usize>, values: Vec<f64>) {
        self.add(name, Dtype::F64, shape, values.into_iter().flat_map(f64::to_le_bytes).collect());
    }

    fn vector(&mut self, name: &str, values: &[f64]) {
        self.floats(name, vec![values.len()], values.to_vec());
    }

    fn whole<'v>(&mut self, name: &str, values: impl ExactSizeIterator<Item = &'v u64>) {
        let shape = vec![values.len()];
        self.add(name, Dtype::U64, shape, values.flat_map(|value| value.to_le_bytes()).collect());
    }

    fn statistics(&mut self, at: &str, statistics: &Statistics) {
        match statistics {
            Statistics::None => {}
            Statistics::Words(Rarity { texts, texts_with }) => {
                self.whole(&format!("{at}/texts"), [*texts as u64].iter());
                self.whole(&format!("{at}/words"), texts_with.keys());
                self.whole(&format!("{at}/texts_with"), texts_with.values());
            }
            Statistics::Interactions(Map { width, totals, values, vectors }) => {
                self.whole(&format!("{at}/width"), [*width as u64].iter());
                self.vector(&format!("{at}/totals"), totals);
                self.vector(&format!("{at}/values"), values);
                self.floats(&format!("{at}/vectors"), vec![vectors.len(), values.len()], vectors.concat());
            }
            Statistics::Several(parts) => {
                for (number, (statistics, Centring { mean, factor })) in parts.iter().enumerate() {
                    let at = format!("{at}/{number}");
                    self.vector(&format!("{at}/mean"), mean);
                    self.vector(&format!("{at}/factor"), &[*factor]);
                    self.statistics(&at, statistics);
                }
            }
        }
    }
}

/// Tensors that are read.
struct Read<'a> {
    file: &'a Path,
    tensors: SafeTensors<'a>,
}

impl Read<'_> {
    fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// Shape and numbers of `N` bytes each of a tensor of this type.
    fn numbers<const N: usize, T>(
        &self,
        name: &str,
        kind: Dtype,
        number: impl Fn([u8; N]) -> T,
    ) -> Result<(Vec<usize>, Vec<T>), InputError> {
        let tensor = self.tensors.tensor(name).map_err(|error| damaged(self.file, &error.to_string()))?;
        if tensor.dtype() != kind {
            return Err(damaged(self.file, &format!("`{name}` is of the type {:?}", tensor.dtype())));
        }
        let (whole, _) = tensor.data().as_chunks::<N>();
        Ok((tensor.shape().to_vec(), whole.iter().map(|bytes| number(*bytes)).collect()))
    }

    /// Finite numbers of a vector.
    fn vector(&self, name: &str) -> Result<Vec<f64>, InputError> {
        let (_, values) = self.numbers(name, Dtype::F64, f64::from_le_bytes)?;
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(values),
            false => Err(damaged(self.file, &format!("a number of `{name}` is not finite"))),
        }
    }

    fn number(&self, name: &str) -> Result<f64, InputError> {
        self.vector(name)?.first().copied().ok_or_else(|| damaged(self.file, &format!("`{name}` is empty")))
    }

    fn rows(&self, name: &str) -> Result<Vec<Vec<f64>>, InputError> {
        let values = self.vector(name)?;
        let (shape, _) = self.numbers(name, Dtype::F64, f64::from_le_bytes)?;
        match shape[..] {
            [_, width] if width > 0 => Ok(values.chunks(width).map(<[f64]>::to_vec).collect()),
            _ => Err(damaged(self.file, &format!("`{name}` is no matrix"))),
        }
    }

    fn matrix(&self, name: &str) -> Result<Matrix, InputError> {
        let (shape, values) = self.numbers(name, Dtype::F32, f32::from_le_bytes)?;
        match shape[..] {
            [rows, columns] if values.iter().all(|value| value.is_finite()) => Ok(Matrix { rows, columns, values }),
            _ => Err(damaged(self.file, &format!("`{name}` is no matrix of finite numbers"))),
        }
    }

    fn whole(&self, name: &str) -> Result<Vec<u64>, InputError> {
        Ok(self.numbers(name, Dtype::U64, u64::from_le_bytes)?.1)
    }

    fn count(&self, name: &str) -> Result<usize, InputError> {
        let first = self.whole(name)?.first().and_then(|&count| usize::try_from(count).ok());
        first.ok_or_else(|| damaged(self.file, &format!("`{name}` is no count")))
    }

    fn statistics(&self, at: &str, source: &VectorSource) -> Result<Statistics, InputError> {
        Ok(match source {
            VectorSource::Text(_) | VectorSource::Vectors(_) => Statistics::None,
            VectorSource::Words(_) => {
                let words = self.whole(&format!("{at}/words"))?;
                let texts_with = self.whole(&format!("{at}/texts_with"))?;
                let texts = self.count(&format!("{at}/texts"))?;
                if words.len() != texts_with.len() || texts_with.iter().any(|&with| with > texts as u64) {
                    return Err(damaged(self.file, "words and their counts do not fit together"));
                }
                Statistics::Words(Rarity { texts, texts_with: words.into_iter().zip(texts_with).collect() })
            }
            VectorSource::Interactions(width) => {
                let map = Map {
                    width: self.count(&format!("{at}/width"))?,
                    totals: self.vector(&format!("{at}/totals"))?,
                    values: self.vector(&format!("{at}/values"))?,
                    vectors: self.rows(&format!("{at}/vectors"))?,
                };
                let fit = map.width == *width
                    && map.values.len() <= *width
                    && map.values.iter().all(|value| *value > 0.0)
                    && map.vectors.len() == map.totals.len()
                    && map.vectors.iter().all(|vector| vector.len() == map.values.len());
                if !fit {
                    return Err(damaged(self.file, "the map of interactions does not fit together"));
                }
                Statistics::Interactions(map)
            }
            VectorSource::Concat(parts) => {
                let part = |(number, part): (usize, &super::source::Part)| {
                    let at = format!("{at}/{number}");
                    let (mean, factor) = (self.vector(&format!("{at}/mean"))?, self.number(&format!("{at}/factor"))?);
                    Ok((self.statistics(&at, &part.source)?, Centring { mean, factor }))
                };
                Statistics::Several(parts.iter().enumerate().map(part).collect::<Result<_, InputError>>()?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id_training::source::Part;

    fn kept() -> (Kept, VectorSource) {
        let matrix = |rows: usize, columns: usize| Matrix { rows, columns, values: vec![0.25; rows * columns] };
        let books = Codebooks::new(&[vec![vec![0.1, 0.2], vec![0.3, 0.4]], vec![vec![1e-300, -1.0]]]).unwrap();
        let autoencoder = Autoencoder {
            parameters: vec![matrix(2, 3), matrix(1, 2), matrix(3, 2), matrix(1, 3)],
            mean: vec![0.5; 3],
            scale: 1.5,
        };
        let map = Map {
            width: 4,
            totals: vec![1.0, 0.0],
            values: vec![2.0, 1.0],
            vectors: vec![vec![0.5, 0.25], vec![0.0, 0.125]],
        };
        let words = Rarity { texts: 3, texts_with: [(7, 1), (u64::MAX, 3)].into() };
        let centring = || Centring { mean: vec![0.5], factor: 2.0 };
        let statistics = Statistics::Several(vec![
            (Statistics::Words(words), centring()),
            (Statistics::Interactions(map), centring()),
            (Statistics::None, centring()),
        ]);
        let sources = [VectorSource::Words(1), VectorSource::Interactions(4), VectorSource::Vectors("x.npy".into())];
        let source = VectorSource::Concat(sources.map(Part::of).to_vec());
        (Kept { statistics, quantiser: Quantiser { books, autoencoder: Some(autoencoder) } }, source)
    }

    #[test]
    fn it_comes_back_as_it_was_in_equal_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b"].map(|name| folder.path().join(name));
        let (kept, source) = kept();
        for file in &files {
            kept.save(file).unwrap();
            assert_eq!(Kept::load(file, &source).unwrap(), kept);
        }
        assert_eq!(fs::read(&files[0]).unwrap(), fs::read(&files[1]).unwrap());
    }

    #[test]
    fn what_is_damaged_or_of_another_source_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.codebooks.safetensors");
        let (mut kept, source) = kept();
        kept.save(&file).unwrap();
        let bytes = fs::read(&file).unwrap();
        for cut in [0, 7, 8, 40, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&file, &bytes[..cut]).unwrap();
            let error = Kept::load(&file, &source).unwrap_err().to_string();
            assert!(error.contains("x.codebooks.safetensors") && error.contains("--fresh"), "{error}");
        }
        fs::write(&file, &bytes).unwrap();
        assert!(Kept::load(&file, &VectorSource::Words(1)).is_err());
        if let Some(autoencoder) = &mut kept.quantiser.autoencoder {
            autoencoder.mean.pop();
        }
        kept.save(&file).unwrap();
        assert!(Kept::load(&file, &source).unwrap_err().to_string().contains("the layers"));
    }
}
