//! Files that are no table and no text: what they are by their first bytes, and what makes a readable file of them.

use std::path::Path;

use crate::error::InputError;

/// What a kind of file begins with, and what to do about it.
struct Kind {
    /// Where the mark begins.
    at: usize,
    mark: &'static [u8],
    what: &'static str,
    /// `{}` stands for the path and `{stem}` for the path without its last ending, both quoted for a shell.
    remedy: &'static str,
}

const fn kind(mark: &'static [u8], what: &'static str, remedy: &'static str) -> Kind {
    Kind { at: 0, mark, what, remedy }
}

const FETCH_AGAIN: &str = "it is no data: fetch the file again, from the address of the file itself";
const NO_DATA: &str = "name the file of interactions";

/// The kinds, in the order in which they are asked for.
const KINDS: &[Kind] = &[
    kind(b"BZh", "compressed with bzip2", "unpack it with `bunzip2 -k {}`"),
    kind(b"\xfd7zXZ\0", "compressed with xz", "unpack it with `xz -dk {}`"),
    kind(b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it with `7z x {}`"),
    kind(b"Rar!\x1a\x07", "a RAR archive", "unpack it with `unrar x {}`"),
    kind(b"\x04\x22\x4d\x18", "compressed with LZ4", "unpack it with `lz4 -dk {}`"),
    kind(b"\x1f\x9d", "compressed with compress", "unpack it with `uncompress -k {}`"),
    Kind { at: 257, mark: b"ustar", what: "a tar archive", remedy: "unpack it with `tar -xf {}`" },
    kind(
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS, not the file itself",
        "fetch the file with `git lfs pull` in its repository",
    ),
    kind(
        b"SQLite format 3\0",
        "an SQLite database",
        "write a table of it with `sqlite3 -header -csv {} 'SELECT * FROM ratings' > {stem}.csv`",
    ),
    kind(
        b"\x89HDF\r\n\x1a\n",
        "an HDF5 file (pandas, Keras or MATLAB 7.3)",
        "write a table of it with `python -c \"import sys, pandas; pandas.read_hdf(sys.argv[1]).to_csv(sys.argv[2], index=False)\" {} \
         {stem}.csv`",
    ),
    kind(
        b"MATLAB 5.0 MAT-file",
        "a MATLAB file",
        "read it with `scipy.io.loadmat` and write its table with `pandas.DataFrame(…).to_csv`",
    ),
    kind(
        b"ARROW1",
        "an Arrow or Feather file",
        "make it Parquet with `python -c \"import sys, pandas; pandas.read_feather(sys.argv[1]).to_parquet(sys.argv[2])\" {} {stem}.parquet`",
    ),
    kind(
        b"FEA1",
        "a Feather file",
        "make it Parquet with `python -c \"import sys, pandas; pandas.read_feather(sys.argv[1]).to_parquet(sys.argv[2])\" {} {stem}.parquet`",
    ),
    kind(
        b"ORC",
        "an ORC file",
        "make it Parquet with `python -c \"import sys, pandas; pandas.read_orc(sys.argv[1]).to_parquet(sys.argv[2])\" {} {stem}.parquet`",
    ),
    kind(b"Obj\x01", "an Avro file", "write it as Parquet, JSON lines or CSV"),
    kind(
        b"\x93NUMPY",
        "a NumPy array",
        "item vectors are named with `semantic_ids: Train(source: Vectors(\"…\"))`; a table of interactions is written as CSV",
    ),
    kind(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file", "save it as CSV"),
    kind(b"GGUF", "a GGUF model", "a model is named with `base_model`"),
    kind(b"\x89PNG\r\n\x1a\n", "a picture (PNG)", NO_DATA),
    kind(b"\xff\xd8\xff", "a picture (JPEG)", NO_DATA),
    kind(b"GIF8", "a picture (GIF)", NO_DATA),
    kind(b"%PDF-", "a PDF", NO_DATA),
    kind(b"\x7fELF", "a program", NO_DATA),
];

const UNPICKLE: &str = "write a table of it, only if you trust where it comes from, with `python -c \"import sys, pandas; \
                        pandas.DataFrame(pandas.read_pickle(sys.argv[1])).to_csv(sys.argv[2], index=False)\" {} {stem}.csv`";

/// Text that is a page or a message in place of data, in small letters.
const PAGES: [(&[u8], &str); 3] = [
    (b"<!doctype html", "a web page, perhaps a message of an error or a login"),
    (b"<html", "a web page, perhaps a message of an error or a login"),
    (b"<?xml", "an XML document, perhaps a message of an error"),
];

/// The error for a file whose beginning says that it is of another kind; none where it does not.
pub fn refusal(path: &Path, start: &[u8]) -> Option<InputError> {
    let (what, remedy) = kind_of(start)?;
    Some(InputError::new(path, what).advice(with_paths(remedy, path)))
}

fn kind_of(start: &[u8]) -> Option<(&'static str, &'static str)> {
    let has = |kind: &&Kind| start.get(kind.at..).is_some_and(|rest| rest.starts_with(kind.mark));
    if let Some(kind) = KINDS.iter().find(has) {
        return Some((kind.what, kind.remedy));
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return Some(of_zip(start));
    }
    // A pickle says its protocol, and begins with a frame or an object.
    if let [0x80, 2..=5, next, ..] = start
        && matches!(next, 0x95 | b'c' | b']' | b'}' | b'(' | b'X' | 0x8c)
    {
        return Some(("a Python pickle", UNPICKLE));
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let begins = |page: &[u8]| text.get(..page.len()).is_some_and(|text| text.eq_ignore_ascii_case(page));
    PAGES.iter().find(|(page, _)| begins(page)).map(|(_, what)| (*what, FETCH_AGAIN))
}

/// What a zip holds, by the name of its first file.
fn of_zip(start: &[u8]) -> (&'static str, &'static str) {
    let length = start.get(26..28).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let name = start.get(30..).map_or(&[][..], |rest| &rest[..length.min(rest.len())]);
    if name.ends_with(b".npy") {
        ("NumPy arrays (npz)", "save the one that is needed with `numpy.save`, or a table as CSV")
    } else if name.ends_with(b"data.pkl") || name.ends_with(b".format_version") {
        ("a PyTorch file", "read it with `torch.load`, and save a table as CSV or vectors with `numpy.save`")
    } else if name.starts_with(b"[Content_Types].xml") || name.starts_with(b"xl/") || name.starts_with(b"_rels/") {
        ("an Excel workbook", "save it as CSV")
    } else {
        ("a zip archive", "unpack it with `unzip {} -d {stem}`, and name the file or folder of interactions")
    }
}

/// A remedy with the paths in it.
fn with_paths(remedy: &str, path: &Path) -> String {
    let quoted = |path: &Path| shell_words::quote(&path.to_string_lossy()).into_owned();
    let stem = path.with_extension("");
    remedy
        .replace("{stem}.csv", &quoted(&stem.with_added_extension("csv")))
        .replace("{stem}.parquet", &quoted(&stem.with_added_extension("parquet")))
        .replace("{stem}", &quoted(&stem))
        .replace("{}", &quoted(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_with_a_command_whose_path_is_quoted() {
        // The marks are those of `file(1)`.
        for (start, what, remedy) in [
            (&b"BZh91AY&SY..."[..], "compressed with bzip2", "unpack it with `bunzip2 -k 'my data.csv.x'`"),
            (b"\xfd7zXZ\0\0\x04", "compressed with xz", "unpack it with `xz -dk 'my data.csv.x'`"),
            (b"7z\xbc\xaf\x27\x1c\0", "a 7z archive", "unpack it with `7z x 'my data.csv.x'`"),
            (b"Rar!\x1a\x07\x01\0", "a RAR archive", "unpack it with `unrar x 'my data.csv.x'`"),
            (
                b"PK\x03\x04\x14\0\0\0\x08\0....\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.csv",
                "a zip archive",
                "unpack it with `unzip 'my data.csv.x' -d 'my data.csv'`, and name the file or folder of interactions",
            ),
        ] {
            let error = refusal(Path::new("my data.csv.x"), start).unwrap();
            assert_eq!((error.problem.as_str(), error.advice.as_deref()), (what, Some(remedy)));
        }
        let what = |start: &[u8]| refusal(Path::new("x"), start).map(|error| error.problem);
        let mut tar = vec![b'a'; 257];
        tar.extend(b"ustar\x0000");
        assert_eq!(what(&tar).as_deref(), Some("a tar archive"));
        assert_eq!(what(b"\x80\x04\x95\x10\0").as_deref(), Some("a Python pickle"));
        assert_eq!(
            what(b"\n<!DOCTYPE HTML><html>").as_deref(),
            Some("a web page, perhaps a message of an error or a login")
        );
        let torch = b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0d\0\x12\0arch/data.pkl";
        assert_eq!(what(torch).as_deref(), Some("a PyTorch file"));
        for data in [&b"user,item\n1,2\n"[..], b"{\"a\": 1}", b"PAR1", b"PK,2\n", b"", b"\x80abc", b"<user>\t1"] {
            assert_eq!(what(data), None, "{data:?}");
        }
    }
}
