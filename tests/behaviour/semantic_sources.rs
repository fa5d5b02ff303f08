//! What semantic ids are made of: texts read by a language model, matrices of others, several together.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use npyz::WriterBuilder;
use peso_workbench::device;
use peso_workbench::device::DeviceChoice;
use peso_workbench::error::InputError;
use peso_workbench::id_training::checkpoint::Checkpoint;
use peso_workbench::id_training::embeddings::{Reader, content_hash};
use peso_workbench::id_training::observer::{Observer, Step};
use peso_workbench::id_training::source::VectorSource;
use peso_workbench::project::new_project::NewProject;
use peso_workbench::project::{Project, SemanticIds};
use peso_workbench::semantic_id::index::IndexFile;
use serde_json::Value;

use crate::base_models::models;
use crate::semantic_ids::{PROJECT, index, peso, project};

/// A tiny random Llama in float32 with a tokenizer of words, which wants a token before and one after every text.
fn embedder() -> PathBuf {
    models().join("embedder")
}

/// Counts what is read, and ends reading after so many batches.
#[derive(Default)]
struct Reading {
    asked: usize,
    end_after: Option<usize>,
    done: Vec<usize>,
}

impl Observer for Reading {
    fn hear(&mut self, step: &Step) {
        if let Step::Embedded { done, .. } = step {
            self.done.push(*done);
        }
    }

    fn stopped(&mut self) -> bool {
        self.asked += 1;
        self.end_after.is_some_and(|end| self.asked > end)
    }

    fn due(&mut self) -> bool {
        false
    }

    fn keep(&mut self, _: &Checkpoint) -> Result<(), InputError> {
        Ok(())
    }
}

fn vectors(texts: &[String], tokens: usize, cache: &Path, reading: &mut Reading) -> Option<Vec<Vec<f64>>> {
    let (device, _) = device::choose(DeviceChoice::Cpu).unwrap();
    let (model, content) = (embedder(), content_hash(&embedder()).unwrap());
    let reader = Reader { model: &model, content: &content, tokens, device: &device, cache };
    reader.vectors(texts, reading).unwrap()
}

#[test]
fn vectors_of_texts_are_those_of_transformers() {
    let expected: Value = serde_json::from_str(&fs::read_to_string(embedder().join("expected.json")).unwrap()).unwrap();
    let texts: Vec<String> = serde_json::from_value(expected["texts"].clone()).unwrap();
    let wanted: Vec<Vec<f64>> = serde_json::from_value(expected["vectors"].clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tokens = expected["tokens"].as_u64().unwrap() as usize;
    let found = vectors(&texts, tokens, folder.path(), &mut Reading::default()).unwrap();
    for ((found, wanted), text) in found.iter().zip(&wanted).zip(&texts) {
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-5, "{text}: {found} instead of {wanted}");
        }
    }
    assert_eq!(found.len(), wanted.len());
    // Fewer tokens are other vectors.
    assert_ne!(vectors(&texts, 2, folder.path(), &mut Reading::default()).unwrap(), found);
}

#[test]
fn what_was_read_is_kept_and_reading_goes_on_after_a_stop() {
    // Two batches: the longer texts have no room beside the short ones.
    let texts: Vec<String> =
        (0..12).map(|number| if number < 4 { "the red lamp ".repeat(150 + number) } else { "kettle".into() }).collect();
    let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut whole = Reading::default();
    let expected = vectors(&texts, 600, one.path(), &mut whole).unwrap();
    assert!(whole.done.len() > 1, "{:?}", whole.done);
    let mut cut = Reading { end_after: Some(1), ..Reading::default() };
    assert_eq!(vectors(&texts, 600, other.path(), &mut cut), None);
    let mut rest = Reading::default();
    assert_eq!(vectors(&texts, 600, other.path(), &mut rest).unwrap(), expected);
    assert_eq!([cut.done, rest.done].concat(), whole.done);
    // A third time nothing is read, and what was damaged is made again.
    let mut again = Reading::default();
    assert_eq!(vectors(&texts, 600, other.path(), &mut again).unwrap(), expected);
    assert!(again.done.is_empty());
    let kept = fs::read_dir(other.path()).unwrap().flatten().next().unwrap().path();
    fs::write(kept, "nothing").unwrap();
    assert_eq!(vectors(&texts, 600, other.path(), &mut Reading::default()).unwrap(), expected);
}

/// The project with another source of vectors, and the model beside it.
fn with_source(source: &str) -> tempfile::TempDir {
    let folder = project(&PROJECT.replace("Words(64)", source));
    fs::create_dir(folder.path().join("model")).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(embedder().join(file), folder.path().join("model").join(file)).unwrap();
    }
    folder
}

fn trained(folder: &Path) -> IndexFile {
    peso(folder, &["semantic-ids", ".", "--device", "cpu"]);
    IndexFile::read(&index(folder)).unwrap()
}

fn refused(folder: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    let output = command.args(["semantic-ids", "."]).current_dir(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Writes a matrix with one value a row.
fn write_npy(path: &Path, rows: &[f32]) {
    let options = npyz::WriteOptions::new().default_dtype().shape(&[rows.len() as u64, 1]);
    let mut writer = options.writer(fs::File::create(path).unwrap()).begin_nd().unwrap();
    writer.extend(rows.iter().copied()).unwrap();
    writer.finish().unwrap();
}

#[test]
fn ids_are_made_of_texts_that_a_model_reads() {
    let folder = with_source("Text(model: \"model\", tokens: 16)");
    let ids = trained(folder.path());
    assert_eq!((ids.items.len(), ids.levels), (12, 3));
    // Other weights are another content: ids are made anew without being asked to.
    let config = folder.path().join("model/config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("\"rms_norm_eps\": 1e-06", "\"rms_norm_eps\": 0.5")).unwrap();
    assert_ne!(fs::read_to_string(&config).unwrap(), text);
    let quality = fs::read(index(folder.path()).with_extension("").with_extension("quality.json")).unwrap();
    trained(folder.path());
    assert_ne!(fs::read(index(folder.path()).with_extension("").with_extension("quality.json")).unwrap(), quality);
    // The compact base model of this project reads no text.
    let words = refused(with_source("Text()").path());
    assert!(words.contains("a compact base model reads no text") && words.contains("semantic_ids.source"), "{words}");
    assert!(words.contains("Words(256)"), "{words}");
}

/// A table of who took what when, which many people have and nothing more.
#[test]
fn a_bare_table_of_interactions_gets_ids_of_who_goes_for_what() {
    let folder = tempfile::tempdir().unwrap();
    let user = |user: u32| {
        (0..8).map(move |step| {
            format!("u{user},g{}-{},{}\n", user % 2, (user / 2 + step) % 6, 1_700_000_000 + 400_000 * step + user)
        })
    };
    let rows: String = (0..24).flat_map(user).collect();
    let data = folder.path().join("log.csv");
    fs::write(&data, format!("who,what,when\n{rows}")).unwrap();
    let file = NewProject { data, name: "Mine".into(), folder: folder.path().into() }.write().unwrap();
    let project = Project::load(&file).unwrap();
    let SemanticIds::Train(options) = &project.semantic_ids else { panic!("nothing has ids yet") };
    assert_eq!(options.source, VectorSource::Interactions(64));
    peso(folder.path(), &["semantic-ids", ".", "--device", "cpu"]);
    let made = fs::read_dir(folder.path().join("semantic_ids")).unwrap().flatten().map(|entry| entry.path());
    let indices: Vec<PathBuf> = made.filter(|path| path.to_string_lossy().ends_with(".index.json")).collect();
    let ids = IndexFile::read(&indices[0]).unwrap();
    let code = |group: &str| -> BTreeSet<u32> {
        let of_group = ids.items.iter().enumerate().filter(|(_, item)| item.starts_with(group));
        of_group.map(|(row, _)| ids.row(row)[0]).collect()
    };
    assert!(code("g0").is_disjoint(&code("g1")), "two groups of users: {:?} {:?}", code("g0"), code("g1"));
    // Other words say what to do where there is nothing to make them of.
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("Interactions(64)", "Words(64)")).unwrap();
    assert!(refused(folder.path()).contains("source: Interactions(64)"));
}

#[test]
fn several_sources_make_one_vector_and_rows_belong_to_their_ids() {
    let source = "Concat([(source: Text(model: \"model\")), (source: Vectors(\"image.npy\"), weight: 100.0)])";
    let folder = with_source(source);
    let folder = folder.path();
    peso(folder, &["semantic-ids", ".", "--items", "order.txt"]);
    let order = fs::read_to_string(folder.join("order.txt")).unwrap();
    let items: Vec<&str> = order.lines().collect();
    assert_eq!(items.len(), 12);
    assert!(!folder.join("semantic_ids").exists());
    // Three far groups; the weight makes them all that counts on the first level.
    let group =
        |item: &str| [2, 6].iter().filter(|from| items.iter().position(|other| *other == item) >= Some(**from)).count();
    let rows: Vec<f32> = items.iter().map(|item| 10.0 * group(item) as f32).collect();
    write_npy(&folder.join("image.npy"), &rows);
    let first = |ids: &IndexFile| -> Vec<(usize, u32)> {
        let pairs = ids.items.iter().enumerate().map(|(row, item)| (group(item), ids.row(row)[0]));
        let pairs: std::collections::BTreeSet<(usize, u32)> = pairs.collect();
        pairs.into_iter().collect()
    };
    let ids = trained(folder);
    let groups = first(&ids);
    let codes: std::collections::BTreeSet<u32> = groups.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes.len(), groups.len(), "a code has items of one group alone: {groups:?}");
    // The same rows backwards, under their ids, are the same vectors.
    let backwards: Vec<f32> = rows.iter().rev().copied().collect();
    write_npy(&folder.join("image.npy"), &backwards);
    let other = trained(folder);
    assert_ne!(other, ids, "rows of other items are other ids");
    let named: String = items.iter().rev().flat_map(|item| [*item, "\n"]).collect();
    fs::write(folder.join("image.ids.txt"), named).unwrap();
    assert_eq!(trained(folder), ids);
    write_npy(&folder.join("image.npy"), &rows[1..]);
    assert!(refused(folder).contains("12 ids for 11 rows"));
    fs::remove_file(folder.join("image.ids.txt")).unwrap();
    let words = refused(folder);
    assert!(words.contains("11 rows for 12 items") && words.contains("image.ids.txt"), "{words}");
}

#[test]
fn changed_data_get_new_ids_without_being_asked_for() {
    let folder = project(PROJECT);
    let folder = folder.path();
    let before = trained(folder);
    let items = folder.join("data/tiny.item");
    let text = fs::read_to_string(&items).unwrap();
    fs::write(&items, text.replace("Paper lantern", "Émile's kettle")).unwrap();
    let path = index(folder);
    let after = trained(folder);
    assert_eq!((index(folder), &after.items), (path, &before.items));
    assert_ne!(after, before, "the ids are those of the new texts");
    // And back.
    fs::write(&items, text).unwrap();
    assert_eq!(trained(folder), before);
    assert!(Project::load(folder).is_ok());
}
