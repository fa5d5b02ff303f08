//! Everything that reads a file which somebody else may have made: a function a kind of file.
//!
//! Fuzzing drives them with inputs that it finds by coverage (`fuzz/target.rs`), the tests with sound files that are spoilt at
//! random (`tests/behaviour/hostile_files.rs`). A file is refused with an error or read to its end; a panic, a long time and
//! much memory are faults.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use burn::backend::Flex;
use peso_workbench::data::bundle::{self, DataBundle};
use peso_workbench::data::{Dataset, DatasetSource, formats};
use peso_workbench::id_training::kept::Kept;
use peso_workbench::id_training::quality::IndexSummary;
use peso_workbench::id_training::{VectorSource, npy};
use peso_workbench::model::LlamaConfig;
use peso_workbench::model::inspect::{AdapterSummary, ModelSummary};
use peso_workbench::model::tokenizer::Tokenizer;
use peso_workbench::model::weights::{PeftAdapter, Pretrained};
use peso_workbench::pack;
use peso_workbench::project::Project;
use peso_workbench::project::sweep::expand;
use peso_workbench::results::RunResult;
use peso_workbench::run::RunFolder;
use peso_workbench::run::checkpoint::Checkpoint;
use peso_workbench::run::marks::MarksFile;
use peso_workbench::semantic_id::Manifest;
use peso_workbench::train::stage_artifacts::read_matrices;

/// The words of an error, or of what was left out; none where all of a file was read.
pub type Outcome = Result<(), String>;

/// Something that reads a kind of file.
pub struct Reader {
    /// Its name, which its fuzz target has too.
    pub name: &'static str,
    /// Sound files, from the root of the repository. The file that is read takes the name of the first.
    pub seeds: &'static [&'static str],
    /// A folder whose files lie beside it.
    pub beside: Option<&'static str>,
    /// Reads the file at a path.
    pub read: fn(&Path) -> Outcome,
}

const fn alone(name: &'static str, seeds: &'static [&'static str], read: fn(&Path) -> Outcome) -> Reader {
    Reader { name, seeds, beside: None, read }
}

const fn one_of(
    name: &'static str,
    beside: &'static str,
    seeds: &'static [&'static str],
    read: fn(&Path) -> Outcome,
) -> Reader {
    Reader { name, seeds, beside: Some(beside), read }
}

/// The run of version 0.1.0 that has every file a run can have.
const RUN: &str = "tests/fixtures/versions/0.1.0/runs/pulled-s1-462bde62";
const RELEASE: &str = "tests/fixtures/data/tiny_release";
const IDS: &str = "fuzz/seeds/ids";
const PEFT: &str = "tests/fixtures/peft/untied_tokens";

/// All of them.
pub const READERS: [Reader; 29] = [
    alone("project", &["projects/demo/project.ron", "tests/fixtures/audit/project.ron"], project),
    alone("marks", &["fuzz/seeds/.marks.ron"], marks),
    one_of("peso_block", RELEASE, &["tests/fixtures/data/tiny_release/Tiny_cl.all.block_1.json"], release),
    one_of("peso_items", RELEASE, &["tests/fixtures/data/tiny_release/Tiny_cl.item.json"], release),
    one_of("peso_index", RELEASE, &["tests/fixtures/data/tiny_release/Tiny_cl.index.hand.json"], release),
    alone("recbole", &["tests/fixtures/data/recbole_yelp/yelp.inter"], interactions),
    alone("amazon_reviews", &["tests/fixtures/data/amazon_2018/Tiny_Things_5.json"], interactions),
    alone("amazon_ratings", &["tests/fixtures/data/amazon_2018/ratings/Tiny_Things.csv"], interactions),
    alone("gzip", &["tests/fixtures/data/steam/steam_reviews.json.gz"], interactions),
    alone("zstd", &["tests/fixtures/data/amazon_2023/Tiny_Things.jsonl.zst"], interactions),
    alone("python_literals", &["fuzz/seeds/steam_reviews.json"], interactions),
    alone(
        "table",
        &["tests/fixtures/data/hm/transactions_train.csv", "tests/fixtures/data/movielens_20m/ratings.csv"],
        interactions,
    ),
    alone(
        "parquet",
        &[
            "tests/fixtures/data/parquet/none.parquet",
            "tests/fixtures/data/parquet/int96.parquet",
            "tests/fixtures/data/parquet/snappy.parquet",
            "tests/fixtures/data/parquet/brotli.parquet",
            "tests/fixtures/data/parquet/lz4.parquet",
        ],
        interactions,
    ),
    alone("index", &["fuzz/seeds/ids/f46d6f93.index.json"], index),
    one_of("id_manifest", IDS, &["fuzz/seeds/ids/f46d6f93.manifest.json"], id_manifest),
    alone("codebooks", &["fuzz/seeds/ids/f46d6f93.codebooks.safetensors"], codebooks),
    alone("npy", &["fuzz/seeds/vectors.npy"], vectors),
    one_of("model_config", "tests/fixtures/models/llama", &["tests/fixtures/models/llama/config.json"], model_folder),
    one_of(
        "model_variant",
        "tests/fixtures/reference/variants",
        &["tests/fixtures/reference/variants/config.json"],
        model_folder,
    ),
    one_of(
        "safetensors",
        "tests/fixtures/models/llama",
        &["tests/fixtures/models/llama/model.safetensors"],
        model_folder,
    ),
    one_of(
        "safetensors_index",
        "tests/fixtures/models/qwen2",
        &["tests/fixtures/models/qwen2/model.safetensors.index.json"],
        model_folder,
    ),
    alone("gguf", &["tests/fixtures/models/qwen3.gguf", "tests/fixtures/models/llama.gguf"], model_file),
    alone("tokenizer", &["tests/fixtures/models/tokenizer.json"], tokenizer),
    one_of("adapter_config", PEFT, &["tests/fixtures/peft/untied_tokens/adapter_config.json"], adapter),
    one_of("adapter", PEFT, &["tests/fixtures/peft/untied_tokens/adapter_model.safetensors"], adapter),
    one_of("run_config", RUN, &["tests/fixtures/versions/0.1.0/runs/pulled-s1-462bde62/run.ron"], run),
    one_of("run_database", RUN, &["tests/fixtures/versions/0.1.0/runs/pulled-s1-462bde62/run.sqlite"], run),
    alone(
        "checkpoint",
        &["tests/fixtures/versions/0.1.0/runs/shared-base-s1-5597e58c/checkpoint/state.safetensors"],
        checkpoint,
    ),
    alone("zip", &["fuzz/seeds/project.zip", "fuzz/seeds/bundle.zip"], zip),
];

impl Reader {
    /// The file's name.
    pub fn file(&self) -> &'static str {
        self.seeds[0].rsplit('/').next().unwrap_or(self.seeds[0])
    }

    /// Fills a folder with what lies beside the file, and gives the file's path in it.
    pub fn prepare(&self, root: &Path, folder: &Path) -> PathBuf {
        if let Some(beside) = self.beside {
            copy_files(&root.join(beside), folder);
        }
        folder.join(self.file())
    }
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder of the repository").flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir_all(&to).expect("a folder of our own");
            copy_files(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a small file");
        }
    }
}

/// An error's words, which are for people: not as long as the file.
#[allow(clippy::needless_pass_by_value, reason = "it takes what `map_err` gives")]
fn words(error: impl ToString) -> String {
    let words = error.to_string();
    assert!(!words.is_empty() && words.len() < 2500, "{} bytes of error: {words}", words.len());
    words
}

fn folder_of(path: &Path) -> &Path {
    path.parent().expect("a file in a folder")
}

fn project(path: &Path) -> Outcome {
    let project = Project::load(path).map_err(words)?;
    // What is done with one that was opened, before anything is asked.
    expand(&project).map_err(|error| words(format!("{error:?}")))?;
    project.paths();
    Ok(())
}

fn marks(path: &Path) -> Outcome {
    MarksFile::new(folder_of(path)).read().map(drop).map_err(words)
}

fn release(path: &Path) -> Outcome {
    let folder = folder_of(path);
    formats::detect(folder).map_err(words)?;
    let source = DatasetSource::PesoRelease { path: folder.to_path_buf() };
    Dataset::load(&source, None, folder).map_err(words)?.summary();
    Ok(())
}

fn interactions(path: &Path) -> Outcome {
    let Some(formats::Detected::Interactions(plan)) = formats::detect(path).map_err(words)? else {
        return Err("no interactions".to_owned());
    };
    let (interactions, report) = formats::import(&plan, &mut |_| ControlFlow::Continue(())).map_err(words)?;
    assert!(report.interactions > 0 && interactions.len() as u64 == report.interactions);
    match report.skipped.lines {
        0 => Ok(()),
        lines => Err(format!("{lines} lines were left out")),
    }
}

fn index(path: &Path) -> Outcome {
    IndexSummary::read(path).map(drop).map_err(words)
}

fn id_manifest(path: &Path) -> Outcome {
    let index = folder_of(path).join("f46d6f93.index.json");
    Manifest::of(&index).map_err(words)?;
    Ok(())
}

fn codebooks(path: &Path) -> Outcome {
    let kept = Kept::load(path, &VectorSource::Words(8)).map_err(words)?;
    let books = kept.quantiser.books;
    assert_eq!(books.sum(&vec![0; books.levels()]).len(), books.width());
    Ok(())
}

fn vectors(path: &Path) -> Outcome {
    npy::read(path, &["a", "b", "c", "d"]).map(drop).map_err(words)
}

fn model_folder(path: &Path) -> Outcome {
    model_file(folder_of(path))
}

fn model_file(path: &Path) -> Outcome {
    ModelSummary::read(path).map_err(words)?;
    let model = Pretrained::open(path).map_err(words)?;
    model.load::<Flex>(1, 0, &Default::default(), &mut |_| ()).map(drop).map_err(words)
}

fn tokenizer(path: &Path) -> Outcome {
    let tokenizer = Tokenizer::open(path).map_err(words)?;
    tokenizer.summary();
    tokenizer.pieces("History: ", ", ", "\nNext:").map_err(words)?;
    tokenizer.encode("A text, and others.", true).map(drop).map_err(words)
}

fn adapter(path: &Path) -> Outcome {
    let folder = folder_of(path);
    AdapterSummary::read(folder).map_err(words)?;
    PeftAdapter::read(folder, &BASE).map(drop).map_err(words)
}

/// The model that the adapters of the fixtures are for.
static BASE: LazyLock<LlamaConfig> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder for a moment");
    let file = folder.path().join("config.json");
    fs::write(&file, include_str!("../tests/fixtures/peft/untied/config.json")).expect("a small file");
    LlamaConfig::read(&file).expect("a fixture that is sound")
});

fn run(path: &Path) -> Outcome {
    let folder = folder_of(path);
    // Of the database that was read before.
    for left in ["run.sqlite-wal", "run.sqlite-shm", "run.sqlite-journal"] {
        let _ = fs::remove_file(folder.join(left));
    }
    let run = RunFolder::open(folder).map_err(words)?;
    run.status();
    let reader = run.reader().map_err(words)?;
    RunResult::read_each(&reader).map_err(words)?;
    reader.reason().map_err(words)?;
    reader.progress().map_err(words)?;
    reader.steps_after(-1).map_err(words)?;
    reader.events_after(-1).map_err(words)?;
    for cell in reader.evaluations().map_err(words)? {
        reader.evaluation(&cell).map_err(words)?;
        reader.user_outcomes(cell.at).map_err(words)?;
        reader.slices(cell.at.protocol, cell.at.tested).map_err(words)?;
    }
    Ok(())
}

fn checkpoint(path: &Path) -> Outcome {
    Checkpoint::load(folder_of(path)).map_err(words)?;
    read_matrices(path).map(drop).map_err(words)
}

fn zip(path: &Path) -> Outcome {
    let folder = folder_of(path).join("unpacked");
    let unpacked = pack::unpack(path, &folder, &mut |_| ControlFlow::Continue(()));
    let read = unpacked.map_err(|error| words(format!("{error:?}"))).and_then(|project| {
        let project = Project::load(&project).map_err(words)?;
        if project.folder.join(bundle::FILE).is_file() {
            DataBundle::read(&project.folder).map_err(words)?.dataset().summary();
        }
        Ok(())
    });
    let _ = fs::remove_dir_all(&folder);
    read
}
