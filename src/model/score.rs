//! Logits of given token ids under a model on disk: what other tools compare against.

use std::path::Path;

use burn::tensor::backend::Backend;

use super::adapter::Matrix;
use super::backend::{OnDevice, TrainingBackend, run_on};
use super::kernels::Kernels;
use super::llama::Llama;
use super::packing::{Branch, Packed, Sequence};
use super::weights::{PeftAdapter, Pretrained, Weights};
use crate::device::{self, DeviceChoice};
use crate::error::{InputError, RunError};
use crate::files;

/// Writes `logits` `[batch, length, vocabulary]` of the `input_ids` `[batch, length]` in a safetensors file.
///
/// `model` is a Hugging Face folder or a GGUF file; `adapter` a PEFT folder.
///
/// # Errors
/// A file that cannot be used, with its place; token ids outside the vocabulary.
pub fn score(
    model: &Path,
    ids: &Path,
    out: &Path,
    adapter: Option<&Path>,
    choice: DeviceChoice,
) -> Result<(), RunError> {
    let (device, _) = device::required(choice)?;
    let weights = Weights::open_file(ids)?;
    let (shape, values) = weights.integers("input_ids")?;
    let [batch, length] = *shape.as_slice() else {
        return Err(InputError::new(ids, format!("expected input_ids [batch, length], got the shape {shape:?}")).into());
    };
    if batch == 0 || length == 0 {
        return Err(InputError::new(ids, "input_ids is empty").into());
    }
    let logits = run_on(&device, Score { model, ids, adapter, values: &values, length })?;
    let bytes = logits_bytes(&logits, batch, length).map_err(|e| InputError::new(out, e))?;
    Ok(files::write_atomically(out, &bytes)?)
}

struct Score<'a> {
    model: &'a Path,
    ids: &'a Path,
    adapter: Option<&'a Path>,
    values: &'a [i64],
    length: usize,
}

impl OnDevice for Score<'_> {
    type Output = Result<Matrix, RunError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let base = Pretrained::open(self.model)?;
        let known = base.config.vocabulary;
        let peft = self.adapter.map(|folder| PeftAdapter::read(folder, &base.config)).transpose()?;
        // An adapter may bring rows of tokens that the base model has not.
        let no_row = |token: usize| {
            InputError::new(self.adapter.unwrap_or(self.model), format!("the adapter has no row of token {token}"))
                .advice("the rows of tokens that the base model has not must be there without a gap")
        };
        let added = peft.as_ref().map_or(Ok(0), |peft| peft.added(known)).map_err(no_row)?;
        let mut model: Llama<B::InnerBackend> = base.load(added, 0, device, &mut |_| ())?;
        if let Some(peft) = &peft {
            peft.put_on(&mut model).map_err(|token| no_row(token as usize))?;
        }
        let vocabulary = known + added;
        let token =
            |(i, &t): (usize, &i64)| {
                u32::try_from(t).ok().filter(|&t| (t as usize) < vocabulary).ok_or_else(|| {
                    InputError::new(self.ids, format!("token id {t} is not in the vocabulary of {vocabulary}"))
                        .at(format!("row {}, column {}", i / self.length, i % self.length))
                })
            };
        let tokens = self.values.iter().enumerate().map(token).collect::<Result<Vec<u32>, _>>()?;
        Ok(all_logits(&model, &tokens, self.length))
    }
}

/// Logits of every token of rows of one length: `[rows * length, vocabulary]`.
pub fn all_logits<B: Backend + Kernels>(model: &Llama<B>, tokens: &[u32], length: usize) -> Matrix {
    let branch = |row: &[u32]| Branch::unscored(0, row.to_vec());
    let rows: Vec<Sequence> =
        tokens.chunks(length).map(|row| Sequence { prefix: vec![], branches: vec![branch(row)] }).collect();
    Matrix::from_tensor(model.logits(&Packed::new(&rows), None))
}

fn logits_bytes(logits: &Matrix, batch: usize, length: usize) -> Result<Vec<u8>, String> {
    let bytes: Vec<u8> = logits.values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let view =
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![batch, length, logits.columns], &bytes)
            .map_err(|e| e.to_string())?;
    safetensors::tensor::serialize([("logits", view)], None).map_err(|e| e.to_string())
}
