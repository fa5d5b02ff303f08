//! Item vectors by a language model: the mean over a text's own tokens of the last hidden state, after the final norm (see
//! [`crate::model::embed::pooled`]), in float32. Kept on disk by what they are made of, and made in parts that outlive a
//! stop.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::observer::{Observer, Step};
use crate::data::cache;
use crate::device::Device;
use crate::error::InputError;
use crate::files;
use crate::model::Llama;
use crate::model::adapter::Matrix;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::embed::{Tokens, batch, by_length, pooled};
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::{Pretrained, Weights, Written, gguf, write_safetensors};

/// The ending of what is kept.
const ENDING: &str = "embeddings.safetensors";
/// The tensor `[texts that are done, width]`, in the order in which texts are read.
const DONE: &str = "embeddings";
/// Between two writes of what is done.
const KEEP_EVERY: Duration = Duration::from_secs(30);

/// A model that texts are read by, and how.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// A Hugging Face folder or a GGUF file.
    pub model: &'a Path,
    /// Hash of its content: see [`content_hash`].
    pub content: &'a str,
    /// A text's own tokens that are read, at most.
    pub tokens: usize,
    pub device: &'a Device,
    /// The folder that vectors are kept in.
    pub cache: &'a Path,
}

impl Reader<'_> {
    /// A vector a text; 0 for one without tokens, none at all where the observer ended it, and what was done is kept.
    ///
    /// # Errors
    /// Model or tokenizer cannot be used. A folder that cannot be written does no harm.
    pub fn vectors(&self, texts: &[String], observer: &mut dyn Observer) -> Result<Option<Vec<Vec<f64>>>, InputError> {
        let file = self.cache.join(format!("{}.{ENDING}", &self.key(texts)[..32]));
        let model = Pretrained::open_reader(self.model)?;
        let tokens = self.tokenised(texts, model.config.vocabulary)?;
        let order = by_length(&tokens);
        let width = model.config.width;
        // A file that is not sound is made again.
        let known = Weights::open_file(&file).and_then(|kept| kept.matrix(DONE, None)).ok();
        let known = known.filter(|kept| kept.columns == width && kept.rows <= texts.len());
        let mut done = known.unwrap_or_else(|| Matrix::zeros(0, width));
        if done.rows < texts.len() {
            let work = Work { reader: *self, model, tokens: &tokens, order: &order, file: &file, done, observer };
            done = run_on(self.device, work)?;
        }
        if done.rows < texts.len() {
            return Ok(None);
        }
        let mut vectors = vec![Vec::new(); texts.len()];
        for (&text, row) in order.iter().zip(done.values.chunks(width)) {
            vectors[text] = row.iter().copied().map(f64::from).collect();
        }
        Ok(Some(vectors))
    }

    fn tokenised(&self, texts: &[String], vocabulary: usize) -> Result<Vec<Tokens>, InputError> {
        let tokenizer = Tokenizer::open(self.model)?;
        let of = |text: &String| {
            let (before, mut own) = tokenizer.own_tokens(text)?;
            own.truncate(self.tokens);
            let unknown = before.iter().chain(&own).find(|&&token| token as usize >= vocabulary);
            match unknown {
                None => Ok(Tokens { before, own }),
                Some(token) => Err(InputError::new(
                    tokenizer.path(),
                    format!("the token {token} has no row in the model's vocabulary of {vocabulary}"),
                )),
            }
        };
        texts.iter().map(of).collect()
    }

    /// SHA-256 (hex) over all that decides the vectors.
    fn key(&self, texts: &[String]) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("peso embeddings 1\n{}\n{}\n", self.content, self.tokens));
        for text in texts {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hex(hash)
    }

    /// Writes what is done; what cannot be kept is only made again the next time.
    fn keep(&self, file: &Path, done: &Matrix) {
        if files::create_folder(self.cache)
            .and_then(|()| write_safetensors(file, [Written::matrix(DONE, done)], &[]))
            .is_ok()
        {
            cache::forget_oldest(self.cache, ENDING);
        }
    }
}

/// Reading what is not done yet.
struct Work<'a> {
    reader: Reader<'a>,
    model: Pretrained,
    tokens: &'a [Tokens],
    order: &'a [usize],
    file: &'a Path,
    done: Matrix,
    observer: &'a mut dyn Observer,
}

impl OnDevice for Work<'_> {
    type Output = Result<Matrix, InputError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let Self { reader, model, tokens, order, file, mut done, observer } = self;
        let model: Llama<B::InnerBackend> = model.load(0, 0, device, &mut |_| ())?;
        let mut kept = Instant::now();
        while done.rows < order.len() && !observer.stopped() {
            let left = &order[done.rows..];
            let texts: Vec<&Tokens> = left[..batch(tokens, left)].iter().map(|&text| &tokens[text]).collect();
            let read = pooled(&model, &texts);
            if read.values.iter().any(|value| !value.is_finite()) {
                return Err(InputError::new(
                    reader.model,
                    "the model makes vectors of texts that are not finite numbers",
                ));
            }
            done.rows += read.rows;
            done.values.extend(read.values);
            observer.hear(&Step::Embedded { done: done.rows, of: order.len() });
            if kept.elapsed() >= KEEP_EVERY {
                reader.keep(file, &done);
                kept = Instant::now();
            }
        }
        if done.rows > 0 {
            reader.keep(file, &done);
        }
        Ok(done)
    }
}

/// SHA-256 (hex) over the files that a model consists of: a GGUF file, or a folder's configuration, tokenizer and weights.
///
/// # Errors
/// One of them cannot be read.
pub fn content_hash(model: &Path) -> Result<String, InputError> {
    let mut hash = Sha256::new();
    for path in model_files(model)? {
        hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update(b"\n");
        add_file(&mut hash, &path)?;
    }
    Ok(hex(hash))
}

/// The files, by name.
fn model_files(model: &Path) -> Result<Vec<PathBuf>, InputError> {
    if !model.is_dir() {
        return Ok(gguf::parts(model));
    }
    let entries = std::fs::read_dir(model).map_err(|error| InputError::io(model, "list the folder", &error))?;
    let belongs = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_file()
            && (name == "config.json"
                || name == "tokenizer.json"
                || name.ends_with(".safetensors")
                || name.ends_with(".safetensors.index.json"))
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(belongs).collect();
    files.sort();
    Ok(files)
}

/// Adds the length and the content of a file.
///
/// # Errors
/// It cannot be read.
pub fn add_file(hash: &mut Sha256, path: &Path) -> Result<(), InputError> {
    let failed = |error: std::io::Error| InputError::io(path, "read", &error);
    let mut file = File::open(path).map_err(failed)?;
    hash.update(file.metadata().map_err(failed)?.len().to_le_bytes());
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => return Ok(()),
            count => hash.update(&buffer[..count]),
        }
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
