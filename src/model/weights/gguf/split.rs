//! Models whose GGUF file was cut into parts by llama.cpp: `NAME-00001-of-00003.gguf` and so on, each a GGUF file of its own.

use std::path::{Path, PathBuf};

use super::header::Gguf;
use super::value::Value;
use crate::error::InputError;

/// A part of a split model, by its file's name.
struct Part {
    folder: PathBuf,
    /// What stands before the numbers.
    name: String,
    count: u64,
}

impl Part {
    fn of(path: &Path) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".gguf")?;
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (name, number) = rest.rsplit_once('-')?;
        let digits =
            |text: &str| (text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok());
        let (_, count): (u64, u64) = (digits(number)??, digits(count)??);
        Some(Self { folder: path.parent()?.to_path_buf(), name: name.to_owned(), count })
    }

    /// The file of a part, from 0.
    fn file(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{}-{:05}-of-{:05}.gguf", self.name, number + 1, self.count))
    }
}

/// The files of a model: the parts that are there where it was split, else the file itself.
pub fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = Part::of(path).map(|part| (0..part.count).map(|number| part.file(number)).collect::<Vec<_>>());
    let mut there: Vec<PathBuf> = parts.unwrap_or_default().into_iter().filter(|file| file.is_file()).collect();
    if there.is_empty() {
        there.push(path.to_path_buf());
    }
    there
}

/// The line that makes one file of the parts.
fn merge(first: &Path) -> String {
    let first = first.display().to_string().replace('\'', "'\\''");
    format!("or make one file of the parts: llama-gguf-split --merge '{first}' 'whole.gguf'")
}

impl Gguf {
    /// Opens a file and checks its header; the first of several parts, with the others.
    ///
    /// # Errors
    /// It is cut short, damaged or of another version; a tensor lies outside the file or has an unknown type; a part is missing.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let mut whole = Self::open_part(path)?;
        add_parts(&mut whole)?;
        Ok(whole)
    }
}

/// Adds the parts that belong to the first one, where it was split.
///
/// # Errors
/// The file is not the first part; a part is missing, or of another model.
fn add_parts(whole: &mut Gguf) -> Result<(), InputError> {
    let Some(count) = number(whole, "split.count").filter(|&count| count > 1) else { return Ok(()) };
    let own = whole.path().to_path_buf();
    let wrong = |file: &Path, problem: String| InputError::new(file, problem);
    let Some(part) = Part::of(&own).filter(|part| part.count == count) else {
        return Err(wrong(
            &own,
            format!("one of {count} parts of a model whose names are not those that it was split under"),
        )
        .at("metadata `split.count`")
        .advice(format!("give the parts their names back, such as model-00001-of-{count:05}.gguf")));
    };
    let first = part.file(0);
    match number(whole, "split.no") {
        Some(0) => {}
        Some(other) => {
            return Err(wrong(&own, format!("part {} of {count} of a split model", other.saturating_add(1)))
                .at("metadata `split.no`")
                .advice(format!("name the first part: {}", first.display())));
        }
        None => return Err(wrong(&own, "metadata is missing".to_owned()).at("metadata `split.no`")),
    }
    for index in 1..count {
        let file = part.file(index);
        if !file.is_file() {
            return Err(wrong(&file, format!("part {} of {count} of the model is missing", index + 1))
                .advice(format!("put it beside the first, {}", merge(&first))));
        }
        let next = Gguf::open_part(&file)?;
        if number(&next, "split.no") != Some(index) || number(&next, "split.count") != Some(count) {
            return Err(
                wrong(&file, format!("not part {} of {count} of the model", index + 1)).at("metadata `split.no`")
            );
        }
        whole.add(next)?;
    }
    let (expected, got) = (number(whole, "split.tensors.count"), whole.tensors().count() as u64);
    match expected {
        Some(expected) if expected != got => {
            Err(wrong(&own, format!("the parts have {got} tensors together, {expected} are expected"))
                .at("metadata `split.tensors.count`")
                .advice("they are of different models, or damaged; copy them again"))
        }
        _ => Ok(()),
    }
}

fn number(file: &Gguf, key: &str) -> Option<u64> {
    file.value(key).and_then(Value::as_u64)
}
