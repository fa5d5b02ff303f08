//! JSON files read as a stream, with errors that carry the file and the place in it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::de::DeserializeSeed;

use crate::error::InputError;

/// Reads the one JSON value of a file through `seed`, which takes in the parts as they come.
///
/// # Errors
/// Says what was found and what was expected, with line and column; also where anything follows the value.
pub fn read<S>(path: &Path, seed: S) -> Result<(), InputError>
where
    S: for<'de> DeserializeSeed<'de, Value = ()>,
{
    let file = File::open(path).map_err(|error| InputError::io(path, "open", &error))?;
    let mut reader = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, file));
    seed.deserialize(&mut reader).and_then(|()| reader.end()).map_err(|error| input_error(path, &error))
}

/// Words for people for what serde_json found in `path`.
fn input_error(path: &Path, error: &serde_json::Error) -> InputError {
    if let Some(kind) = error.io_error_kind() {
        return InputError::io(path, "read", &kind.into());
    }
    let (line, column) = (error.line(), error.column());
    if error.is_eof() && line <= 1 && column == 0 {
        return InputError::new(path, "the file is empty").advice("a JSON object was expected");
    }
    let text = error.to_string();
    let problem = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let input_error = InputError::new(path, problem).at(format!("line {line}, column {column}"));
    if error.is_eof() { input_error.advice("the file is cut off; fetch or copy it again") } else { input_error }
}

#[cfg(test)]
mod tests {
    use std::marker::PhantomData;

    use super::*;

    /// Reads and drops a list of numbers.
    struct Numbers(PhantomData<Vec<u32>>);

    impl<'de> DeserializeSeed<'de> for Numbers {
        type Value = ();

        fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            self.0.deserialize(deserializer).map(drop)
        }
    }

    fn read_text(text: &str) -> Result<(), InputError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        read(file.path(), Numbers(PhantomData))
    }

    #[test]
    fn errors_carry_the_place() {
        assert_eq!(read_text("[1, 2]\n"), Ok(()));
        for (text, problem, place) in [
            ("", "the file is empty", None),
            ("[1,\n 2", "EOF while parsing a list", Some("line 2, column 2")),
            ("[1,\n \"2\"]", "invalid type: string \"2\", expected u32", Some("line 2, column 4")),
            ("[1] 2", "trailing characters", Some("line 1, column 5")),
        ] {
            let error = read_text(text).unwrap_err();
            assert_eq!((error.problem.as_str(), error.place.as_deref()), (problem, place), "{text:?}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("nowhere.json"), Numbers(PhantomData)).unwrap_err();
        assert!(
            error.to_string().starts_with("cannot open: ") && error.to_string().ends_with("(nowhere.json)"),
            "{error}"
        );
    }
}
