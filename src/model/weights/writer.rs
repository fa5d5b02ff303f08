//! Safetensors files that are written tensor by tensor, so that a model need not lie in memory twice.

use std::borrow::Cow;
use std::path::Path;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use safetensors::tensor::{Dtype, SafeTensorError, View};

use crate::error::InputError;
use crate::files;
use crate::model::adapter::Matrix;

/// A matrix of a file that is written, as float32. Its values are asked for when it is its turn.
pub struct Written<'a> {
    name: String,
    shape: Vec<usize>,
    values: Box<dyn Fn() -> Cow<'a, [f32]> + 'a>,
}

impl<'a> Written<'a> {
    /// A matrix on the host.
    pub fn matrix(name: &str, matrix: &'a Matrix) -> Self {
        Self::new(name, [matrix.rows, matrix.columns], || Cow::Borrowed(&matrix.values))
    }

    /// Matrices on a device, one below the other.
    pub fn tensors<B: Backend>(name: &str, parts: Vec<Tensor<B, 2>>) -> Self {
        let rows = parts.iter().map(|part| part.dims()[0]).sum();
        let columns = parts.first().map_or(0, |part| part.dims()[1]);
        let values = move || parts.iter().flat_map(|part| Matrix::from_tensor(part.clone()).values).collect();
        Self::new(name, [rows, columns], values)
    }

    /// Norms and biases are stored as vectors.
    fn new(name: &str, [rows, columns]: [usize; 2], values: impl Fn() -> Cow<'a, [f32]> + 'a) -> Self {
        let is_vector = rows == 1 && (name.contains("norm") || name.ends_with(".bias"));
        let shape = if is_vector { vec![columns] } else { vec![rows, columns] };
        Self { name: name.to_owned(), shape, values: Box::new(values) }
    }
}

impl View for Written<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned((self.values)().iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    fn data_len(&self) -> usize {
        size_of::<f32>() * self.shape.iter().product::<usize>()
    }
}

/// Writes matrices one after the other into a file that is then there as a whole, or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write_safetensors<'a>(
    file: &Path,
    matrices: impl IntoIterator<Item = Written<'a>>,
    metadata: &[(&str, String)],
) -> Result<(), InputError> {
    let format = [("format".to_owned(), "pt".to_owned())];
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).chain(format).collect();
    let named = matrices.into_iter().map(|matrix| (matrix.name.clone(), matrix));
    files::write_atomically_with(file, |path| {
        safetensors::serialize_to_file(named, Some(metadata), path).map_err(|error| match error {
            SafeTensorError::IoError(error) => error,
            other => std::io::Error::other(other),
        })
    })
}
