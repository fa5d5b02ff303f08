//! The manifest of an index that was trained and may have been appended to: what it was made of, by which versions, and the
//! hashes of the files that belong together.
//!
//! Files are replaced one after the other, so the manifest comes last, and first of all stands beside the old one under another name
//! ([`Manifest::publish`]): from then on the new files are put in place whatever happens, by whoever looks next.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::canonical;
use crate::error::InputError;
use crate::files;

/// Version of the manifest's layout.
const FORMAT: u32 = 1;
/// The most bytes of a manifest.
const LARGEST: u64 = 1 << 22;
/// The ending of files that are about to take the place of those before.
const NEXT: &str = "next";

/// What belongs to an index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of this layout; always 1.
    pub format: u32,
    /// Which items codebooks were trained on: `All` or `Stage1`.
    pub on: String,
    /// The options of the project file that ids were trained with.
    pub options: Value,
    pub seed: u64,
    /// SHA-256 over the data that the ids are for now: items, texts, what vectors are made of.
    pub data: String,
    /// What item vectors are made of.
    pub sources: Vec<SourceHash>,
    pub index: FileHash,
    /// Codebooks, and what makes vectors ready for them.
    pub codebooks: FileHash,
    /// Figures of the ids.
    pub quality: FileHash,
    /// What was published, oldest first; the index has their items in this order.
    pub versions: Vec<Version>,
}

/// A source of item vectors with the hash of its content, where that is a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceHash {
    /// What the project calls it, where it is one of several that have names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A file beside the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHash {
    pub file: String,
    pub sha256: String,
}

/// Items that were given ids together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// From 1.
    pub version: usize,
    pub how: How,
    /// The stage in which the items first occur, from 1; none for the items of several stages, and for items of none.
    pub stage: Option<usize>,
    /// When, in UTC.
    pub at: String,
    /// The program's version.
    pub program: String,
    /// Items that were given an id, and all that have one then.
    pub added: usize,
    pub items: usize,
    /// Added items whose id is not the one of their nearest codes, because that was taken.
    pub moved: usize,
    /// Added items that share an id because none was free.
    pub shared: usize,
    /// Mean squared error, over items and dimensions, of the added items' vectors as their ids describe them.
    pub error: Option<f64>,
    /// SHA-256 of the index as it was with these items and those before.
    pub index_sha256: String,
}

/// How items got their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// Codebooks were trained on them.
    Trained,
    /// They were appended when ids were trained, because they come in a later stage.
    Later,
    /// They were appended afterwards, because the data had grown.
    Appended,
}

impl How {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Trained => "trained on",
            Self::Later => "appended at training",
            Self::Appended => "appended afterwards",
        }
    }
}

impl Manifest {
    /// The version of this layout that is written.
    pub const fn format() -> u32 {
        FORMAT
    }

    /// Where the manifest of an index lies: `x.manifest.json` beside `x.index.json`.
    pub fn path_of(index: &Path) -> PathBuf {
        index.with_extension("").with_extension("manifest.json")
    }

    /// The manifest of an index, whose files are compared with it; none where it has none.
    ///
    /// # Errors
    /// The manifest is damaged, or a file is not the one that it names.
    pub fn of(index: &Path) -> Result<Option<Self>, InputError> {
        let path = Self::path_of(index);
        let (now, next) = (Self::read(&path)?, Self::read(&next(&path))?);
        let Some(manifest) = now else { return Ok(None) };
        // Between the two the files are the old or the new ones.
        match (manifest.check(&path), next.map(|next| (next.check(&path), next))) {
            (Err(_), Some((Ok(()), next))) => Ok(Some(next)),
            (checked, _) => checked.map(|()| Some(manifest)),
        }
    }

    fn read(path: &Path) -> Result<Option<Self>, InputError> {
        if !path.is_file() {
            return Ok(None);
        }
        let manifest: Self = serde_json::from_str(&files::read_text(path, LARGEST)?).map_err(|error| {
            InputError::new(path, format!("is no manifest of semantic ids: {error}")).advice(START_OVER)
        })?;
        if manifest.format != FORMAT {
            let problem = format!("the manifest has the format {}, expected {FORMAT}", manifest.format);
            return Err(InputError::new(path, problem).advice("use the version of the program that wrote it"));
        }
        // A name in a manifest leads to a file beside it and nowhere else.
        let leads_away = |named: &&FileHash| path.with_file_name(&named.file).file_name() != Some(named.file.as_ref());
        if let Some(FileHash { file, .. }) = manifest.files().into_iter().find(leads_away) {
            let problem = format!("the manifest names `{}`, which is no file beside it", file.escape_debug());
            return Err(InputError::new(path, problem).advice(START_OVER));
        }
        Ok(Some(manifest))
    }

    fn files(&self) -> [&FileHash; 3] {
        [&self.index, &self.codebooks, &self.quality]
    }

    /// Compares the files with what the manifest at `path` says of them. Files may still lie under the name of those that come next.
    fn check(&self, path: &Path) -> Result<(), InputError> {
        for FileHash { file, sha256 } in self.files() {
            let place = path.with_file_name(file);
            let fits = |file: &Path| Ok::<bool, InputError>(file.is_file() && hash_of(file)? == *sha256);
            if !(fits(&place)? || fits(&next(&place))?) {
                let problem = format!("is not the file that the manifest {} names", path.display());
                return Err(InputError::new(place, problem).advice(format!(
                    "bring both back from where they were published, or remove the manifest to use the file as it is; {START_OVER}"
                )));
            }
        }
        Ok(())
    }

    /// Puts files in place that lie beside those before under the names of [`next`], and the manifest with them. Interrupted at any
    /// moment, either nothing has changed, or [`Self::finish`] brings it to its end.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn publish(&self, index: &Path) -> Result<(), InputError> {
        let path = Self::path_of(index);
        let json = serde_json::to_vec_pretty(self)
            .map_err(|error| InputError::new(&path, format!("cannot be written: {error}")))?;
        files::write_atomically(&next(&path), &json)?;
        Self::finish(index)
    }

    /// Brings a publication that was interrupted to its end; one that had not begun is taken back.
    ///
    /// # Errors
    /// A file cannot be moved or read.
    pub fn finish(index: &Path) -> Result<(), InputError> {
        let path = Self::path_of(index);
        let Some(manifest) = Self::read(&next(&path))? else { return Ok(()) };
        for FileHash { file, sha256 } in manifest.files() {
            let file = path.with_file_name(file);
            let next = next(&file);
            if !next.is_file() {
                continue;
            }
            // What another publication left, which came to nothing, is not what this one names.
            let fits = hash_of(&next)? == *sha256;
            if fits { files::rename(&next, &file) } else { files::remove(&next) }?;
        }
        files::rename(&next(&path), &path)
    }

    /// Items that have an id.
    pub fn items(&self) -> usize {
        self.versions.last().map_or(0, |version| version.items)
    }

    /// Whether items were appended after the ids had been trained: who did that has published them.
    pub fn is_published(&self) -> bool {
        self.versions.iter().any(|version| version.how == How::Appended)
    }
}

const START_OVER: &str = "`peso semantic-ids PROJECT --fresh` makes all ids anew";

/// Where the file lies that is about to take a file's place.
pub fn next(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(NEXT);
    PathBuf::from(name)
}

/// SHA-256 (hex) of a file.
///
/// # Errors
/// It cannot be read.
pub fn hash_of(file: &Path) -> Result<String, InputError> {
    let failed = |error: io::Error| InputError::io(file, "read", &error);
    let mut hash = Sha256::new();
    io::copy(&mut File::open(file).map_err(failed)?, &mut hash).map_err(failed)?;
    Ok(canonical::hex(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Files of a bundle with this content under the names of the next ones, and their manifest.
    fn written(folder: &Path, content: &str) -> Manifest {
        let hash = |name: &str| {
            let file = folder.join(name);
            fs::write(next(&file), format!("{content} {name}")).unwrap();
            FileHash { file: name.to_owned(), sha256: hash_of(&next(&file)).unwrap() }
        };
        Manifest {
            format: FORMAT,
            on: "All".to_owned(),
            options: Value::Null,
            seed: 1,
            data: content.to_owned(),
            sources: Vec::new(),
            index: hash("x.index.json"),
            codebooks: hash("x.codebooks.safetensors"),
            quality: hash("x.quality.json"),
            versions: Vec::new(),
        }
    }

    #[test]
    fn a_hash_is_that_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "abc").unwrap();
        // FIPS 180-4, the first example.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_of(&folder.path().join("a")).unwrap(), expected);
    }

    #[test]
    fn files_and_manifest_are_replaced_together_whenever_it_is_interrupted() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("x.index.json");
        assert_eq!(Manifest::of(&index).unwrap(), None);
        let first = written(folder.path(), "first");
        first.publish(&index).unwrap();
        assert_eq!(Manifest::of(&index).unwrap().as_ref(), Some(&first));
        let second = written(folder.path(), "second");
        // Not begun: the old ones count.
        assert_eq!(Manifest::of(&index).unwrap().as_ref(), Some(&first));
        let manifest = Manifest::path_of(&index);
        fs::write(next(&manifest), serde_json::to_vec(&second).unwrap()).unwrap();
        // Begun, and cut off after each of the files: it can be looked at all the time, and is brought to its end.
        for name in ["x.index.json", "x.codebooks.safetensors", "x.quality.json"] {
            let found = Manifest::of(&index).unwrap();
            assert!(found.as_ref() == Some(&first) || found.as_ref() == Some(&second), "{name}");
            let file = folder.path().join(name);
            fs::rename(next(&file), &file).unwrap();
        }
        assert_eq!(Manifest::of(&index).unwrap().as_ref(), Some(&second));
        Manifest::finish(&index).unwrap();
        assert_eq!(Manifest::of(&index).unwrap().as_ref(), Some(&second));
        assert!(!next(&manifest).exists() && !next(&index).exists());
    }

    #[test]
    fn a_file_that_is_another_one_is_named_with_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("x.index.json");
        written(folder.path(), "first").publish(&index).unwrap();
        fs::write(&index, "other").unwrap();
        let error = Manifest::of(&index).unwrap_err().to_string();
        assert!(error.contains("x.index.json") && error.contains("x.manifest.json"), "{error}");
        let path = Manifest::path_of(&index);
        fs::write(&path, "{").unwrap();
        assert!(Manifest::of(&index).unwrap_err().to_string().contains("x.manifest.json"));
    }

    #[test]
    fn a_manifest_leads_to_no_file_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let ids = folder.path().join("ids");
        fs::create_dir(&ids).unwrap();
        let (index, elsewhere) = (ids.join("x.index.json"), folder.path().join("x.index.json"));
        let mut outside = written(&ids, "second");
        fs::write(next(&elsewhere), "of somebody else").unwrap();
        for name in ["../x.index.json", elsewhere.to_str().unwrap(), "..", "", "x/"] {
            outside.index.file = name.to_owned();
            let json = serde_json::to_vec(&outside).unwrap();
            fs::write(next(&Manifest::path_of(&index)), json).unwrap();
            for refused in [Manifest::of(&index).map(drop), Manifest::finish(&index)] {
                assert!(refused.unwrap_err().to_string().contains("no file beside it"), "{name}");
            }
            assert_eq!(fs::read_to_string(next(&elsewhere)).unwrap(), "of somebody else", "{name}");
        }
    }
}
