//! Semantic ids that know nothing of later stages, and ids of items that come after others were published.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use peso_workbench::data::Dataset;
use peso_workbench::data::formats::Progress;
use peso_workbench::error::RunError;
use peso_workbench::id_training::kept::Kept;
use peso_workbench::id_training::observer::Step;
use peso_workbench::id_training::source::VectorSource;
use peso_workbench::id_training::statistics::Statistics;
use peso_workbench::project::Project;
use peso_workbench::semantic_id::index::IndexFile;
use peso_workbench::semantic_id::manifest::{How, Manifest, hash_of};
use peso_workbench::train::semantic_ids::{IdFiles, Making, Watcher};
use serde_json::{Value, json};

use crate::semantic_ids::{PROJECT, peso};

/// Months of the year in which a stage begins, but the first.
const CUTS: &str = r#"Dates(["2020-02-01", "2020-03-01"])"#;

pub fn project_text(train: &str) -> String {
    format!(
        r#"(
    format: 1,
    name: "Growth",
    dataset: RecBole(path: "data", prepare: (core: 1, stages: {CUTS})),
    semantic_ids: Train({train}source: Words(32), levels: 3, codes: Some(4)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    experiments: [(name: "Single", method: Single)],
    seeds: [1],
)"#
    )
}

const GROUPS: [&str; 4] = ["red lamp", "blue kettle", "green chair", "old book"];

/// A title of one of four kinds, with a word of its own.
pub fn title(item: usize) -> String {
    format!("{} number{}", GROUPS[item % 4], item / 4)
}

/// Data in which each of three months has new items, so many each, which four users go for.
pub fn write_data(folder: &Path, items: [usize; 3], title: impl Fn(usize) -> String) {
    let (mut interactions, mut texts) = (
        "user_id:token\titem_id:token\ttimestamp:float\n".to_owned(),
        "item_id:token\ttitle:token_seq\tclass:token_seq\n".to_owned(),
    );
    let mut first = 0;
    for (month, count) in items.into_iter().enumerate() {
        // 2020-01-01, 2020-02-01 and 2020-03-01.
        let begin = [1_577_836_800, 1_580_515_200, 1_583_020_800][month];
        for item in first..first + count {
            for user in 0..2 {
                let user = (item + user) % 4;
                writeln!(interactions, "u{user}\ti{item}\t{}", begin + 60 * item + user).unwrap();
            }
            writeln!(texts, "i{item}\t{}\t{}", title(item), GROUPS[item % 4]).unwrap();
        }
        // Users of the month go for the first items too, so that no stage is empty.
        for (user, item) in (0..3).flat_map(|user| (0..4).map(move |item| (user, item))) {
            writeln!(interactions, "late{month}{user}\ti{item}\t{}", begin + 9000 + 60 * item + user).unwrap();
        }
        first += count;
    }
    fs::create_dir_all(folder.join("data")).unwrap();
    fs::write(folder.join("data/log.inter"), interactions).unwrap();
    fs::write(folder.join("data/log.item"), texts).unwrap();
}

pub fn project(train: &str, items: [usize; 3]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_data(folder.path(), items, title);
    fs::write(folder.path().join("project.ron"), project_text(train)).unwrap();
    folder
}

fn place(folder: &Path) -> IdFiles {
    IdFiles::of(&Project::load(folder).unwrap()).unwrap()
}

fn index(folder: &Path) -> IndexFile {
    IndexFile::read(&place(folder).index).unwrap()
}

fn manifest(folder: &Path) -> Manifest {
    Manifest::of(&place(folder).index).unwrap().unwrap()
}

pub fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_slice(&peso(folder, arguments).stdout).unwrap()
}

pub fn refused(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
    let output = command.args(arguments).current_dir(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Id of the index with its codes, in file order.
fn rows(file: &IndexFile) -> Vec<(String, Vec<u32>)> {
    file.items.iter().enumerate().map(|(row, item)| (item.clone(), file.row(row).to_vec())).collect()
}

pub const STAGE1: &str = "on: Stage1, ";

#[test]
fn ids_of_stage_1_do_not_depend_on_what_comes_later() {
    let one = project(STAGE1, [16, 6, 4]);
    let quality = json_of(one.path(), &["semantic-ids", ".", "--json"]);
    assert_eq!((&quality["on"], &quality["items"]), (&json!("Stage1"), &json!(26)));
    assert!(quality["note"].as_str().unwrap().contains("stage 1 alone"), "{quality}");
    let published = manifest(one.path());
    let versions: Vec<_> = published.versions.iter().map(|v| (v.version, v.how, v.stage, v.added, v.items)).collect();
    let expected =
        [(1, How::Trained, Some(1), 16, 16), (2, How::Later, Some(2), 6, 22), (3, How::Later, Some(3), 4, 26)];
    assert_eq!(versions, expected);
    assert_eq!((published.on.as_str(), published.seed), ("Stage1", 42));

    // More items later on, and other words about them.
    let other = tempfile::tempdir().unwrap();
    write_data(other.path(), [16, 9, 9], |item| if item < 16 { title(item) } else { format!("new red {item}") });
    fs::write(other.path().join("project.ron"), project_text(STAGE1)).unwrap();
    peso(other.path(), &["semantic-ids", "."]);
    let (here, there) = (rows(&index(one.path())), rows(&index(other.path())));
    assert_eq!(here[..16], there[..16]);
    let hash = |folder: &Path| manifest(folder).versions[0].index_sha256.clone();
    assert_eq!(hash(one.path()), hash(other.path()));
    // Codes are a tuple of tokens that stage 1 has: later items bring no token that a model would have to learn first.
    for level in 0..3 {
        let used = |rows: &[(String, Vec<u32>)]| rows.iter().map(|(_, id)| id[level]).collect::<BTreeSet<u32>>();
        assert!(used(&here[16..]).is_subset(&used(&here[..16])));
    }
    let ids: BTreeSet<&Vec<u32>> = here.iter().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), 26);
    let loaded = Project::load(one.path()).unwrap();
    let dataset = Dataset::load(&loaded.dataset, loaded.index_path().as_deref(), one.path()).unwrap();
    assert_eq!(dataset.items.len(), 26);

    // As in the paper, words of later items have a part in what stage 1 is.
    let [one, other] = [[16, 6, 4], [16, 9, 9]].map(|items| project("", items));
    let all = [&one, &other].map(|folder| {
        let quality = json_of(folder.path(), &["semantic-ids", ".", "--json"]);
        assert_eq!(quality["on"], json!("All"));
        assert!(quality["note"].as_str().unwrap().contains("items of all stages, later ones too"));
        rows(&index(folder.path()))
    });
    assert_ne!(all[0][..16], all[1][..16]);
    assert_eq!(manifest(one.path()).versions.len(), 1);
}

/// Ids by a search through all of them, for items that come after `published`, in their order by error.
fn brute_force(kept: &Kept, published: &[Vec<u32>], vectors: &[(String, Vec<f64>)]) -> Vec<(String, Vec<u32>)> {
    let books = &kept.quantiser.books;
    let error = |vector: &[f64], id: &[u32]| -> f64 {
        vector.iter().zip(books.sum(id)).map(|(value, sum)| (value - sum) * (value - sum)).sum()
    };
    let used: Vec<BTreeSet<u32>> = (0..3).map(|level| published.iter().map(|id| id[level]).collect()).collect();
    let nearest = |vector: &[f64]| {
        let mut id = Vec::new();
        for used in &used {
            let best = used.iter().min_by(|one, other| {
                let of = |code: u32| error(vector, &[&id[..], &[code]].concat());
                of(**one).total_cmp(&of(**other))
            });
            id.push(*best.unwrap());
        }
        id
    };
    let mut all: Vec<Vec<u32>> = vec![Vec::new()];
    for used in &used {
        all = all.iter().flat_map(|id| used.iter().map(move |code| [&id[..], &[*code]].concat())).collect();
    }
    let mut order: Vec<&(String, Vec<f64>)> = vectors.iter().collect();
    order.sort_by(|one, other| error(&one.1, &nearest(&one.1)).total_cmp(&error(&other.1, &nearest(&other.1))));
    let mut taken: BTreeSet<Vec<u32>> = published.iter().cloned().collect();
    let mut found = Vec::new();
    for (item, vector) in order {
        let own = nearest(vector);
        let free = (0..=3).rev().find_map(|kept| {
            let ids = all.iter().filter(|id| id[..kept] == own[..kept] && !taken.contains(*id));
            ids.min_by(|one, other| error(vector, one).total_cmp(&error(vector, other)))
        });
        let id = free.unwrap().clone();
        taken.insert(id.clone());
        found.push((item.clone(), id));
    }
    found.sort();
    found
}

#[test]
fn appended_ids_are_the_nearest_free_ones() {
    let folder = project(STAGE1, [12, 24, 0]);
    // Words that are said more or less often: no two items are as far from what their codes stand for.
    let title = |item: usize| format!("{}{}", GROUPS[item % 4], format!(" number{}", item / 4).repeat(1 + item % 7));
    write_data(folder.path(), [12, 24, 0], title);
    peso(folder.path(), &["semantic-ids", "."]);
    let found = rows(&index(folder.path()));
    let kept = Kept::load(&place(folder.path()).codebooks, &VectorSource::Words(32)).unwrap();
    let Statistics::Words(rarity) = &kept.statistics else { panic!("ids are made of words") };
    assert_eq!(rarity.texts, 12);
    let published: Vec<Vec<u32>> = found[..12].iter().map(|(_, id)| id.clone()).collect();
    let later = 12..36;
    let text = |item: usize| format!("{}\n{}", title(item), GROUPS[item % 4]);
    let vectors: Vec<(String, Vec<f64>)> =
        later.map(|item| (format!("i{item}"), rarity.vector(&text(item), 32))).collect();
    let mut expected = brute_force(&kept, &published, &vectors);
    let mut appended = found[12..].to_vec();
    appended.sort();
    expected.sort();
    assert_eq!(appended, expected);
    let version = &manifest(folder.path()).versions[1];
    assert!(version.moved > 0, "nothing was taken, which tests little: {version:?}");
}

#[test]
fn published_ids_stay_when_the_data_grow() {
    for (train, vectors) in [("", "k-means"), (STAGE1, "k-means"), ("method: RqVae(epochs: 20, batch: 8), ", "encoder")]
    {
        let [one, other] = [0, 1].map(|_| project(train, [16, 6, 0]));
        let folder = one.path();
        peso(folder, &["semantic-ids", "."]);
        let (before, bytes) = (index(folder), fs::read(place(folder).index).unwrap());
        let codebooks = fs::read(place(folder).codebooks).unwrap();
        write_data(folder, [16, 6, 5], title);
        let growth = json_of(folder, &["semantic-ids", ".", "--append", "--json"]);
        assert_eq!(
            (&growth["added"], &growth["before"]["items"], &growth["after"]["items"]),
            (&json!(5), &json!(22), &json!(27))
        );
        assert_eq!((&growth["versions"][0]["how"], &growth["versions"][0]["stage"]), (&json!("Appended"), &json!(3)));
        assert!(
            growth["errors"]["published"].as_f64().unwrap() > 0.0 && growth["errors"]["added"].as_f64().unwrap() > 0.0
        );
        assert_eq!(growth["before"]["after"]["largest"], json!(1));

        let (after, now) = (index(folder), fs::read(place(folder).index).unwrap());
        assert_eq!(after.items.len(), 27, "{vectors}");
        assert_eq!(rows(&after)[..22], rows(&before)[..]);
        assert_eq!(now[..bytes.len() - 1], bytes[..bytes.len() - 1], "but for the last brace");
        assert_eq!(fs::read(place(folder).codebooks).unwrap(), codebooks);
        let ids: BTreeSet<Vec<u32>> = rows(&after).into_iter().map(|(_, id)| id).collect();
        assert_eq!(ids.len(), 27);
        let published = manifest(folder);
        let last = published.versions.last().unwrap();
        assert_eq!((last.how, last.added, last.items), (How::Appended, 5, 27));
        assert_eq!(last.index_sha256, published.index.sha256);

        // They are the ids of the data as they are now: nothing is trained, and nothing is left to append.
        let again = peso(folder, &["semantic-ids", "."]);
        assert!(again.stderr.is_empty(), "{}", String::from_utf8_lossy(&again.stderr));
        assert!(String::from_utf8_lossy(&again.stdout).contains("appended afterwards"));
        assert_eq!(json_of(folder, &["semantic-ids", ".", "--append", "--json"])["added"], json!(0));
        assert_eq!(fs::read(place(folder).index).unwrap(), now);
        let loaded = Project::load(folder).unwrap();
        assert!(Dataset::load(&loaded.dataset, loaded.index_path().as_deref(), folder).is_ok());

        // Who appended has published: other data do not make all ids anew, unless that is asked for.
        write_data(folder, [16, 6, 8], title);
        let words = refused(folder, &["semantic-ids", "."]);
        assert!(words.contains("the data have changed") && words.contains("--append"), "{words}");
        assert_eq!(fs::read(place(folder).index).unwrap(), now);
        peso(folder, &["semantic-ids", ".", "--append"]);
        assert_eq!(rows(&index(folder))[..27], rows(&after)[..]);
        peso(folder, &["semantic-ids", ".", "--fresh"]);
        assert!(!manifest(folder).is_published());

        // The same steps elsewhere give the same bytes.
        peso(other.path(), &["semantic-ids", "."]);
        write_data(other.path(), [16, 6, 5], title);
        peso(other.path(), &["semantic-ids", ".", "--append"]);
        assert_eq!(fs::read(place(other.path()).index).unwrap(), now);
    }
}

#[test]
fn interactions_place_later_items_by_the_stage_in_which_they_come() {
    let text = project_text(STAGE1).replace("Words(32)", "Interactions(8)");
    let folder = project("", [16, 6, 0]);
    fs::write(folder.path().join("project.ron"), &text).unwrap();
    peso(folder.path(), &["semantic-ids", "."]);
    let before = rows(&index(folder.path()));
    // In the third stage users go for the same items again, which changes nothing of those that were there.
    write_data(folder.path(), [16, 6, 9], title);
    peso(folder.path(), &["semantic-ids", ".", "--append"]);
    assert_eq!(rows(&index(folder.path()))[..22], before[..]);
    let other = tempfile::tempdir().unwrap();
    write_data(other.path(), [16, 6, 9], title);
    fs::write(other.path().join("project.ron"), &text).unwrap();
    peso(other.path(), &["semantic-ids", "."]);
    assert_eq!(rows(&index(other.path())), rows(&index(folder.path())), "appended then or now, ids are the same");

    let both = text.replace("experiments:", "evaluation: (protocol: Both),\n    experiments:");
    fs::write(folder.path().join("project.ron"), both).unwrap();
    let words = refused(folder.path(), &["semantic-ids", "."]);
    assert!(words.contains("semantic_ids.on") && words.contains("next-block"), "{words}");
}

#[test]
fn what_does_not_fit_together_is_refused_with_both_names() {
    let folder = project("", [16, 6, 0]);
    let folder = folder.path();
    let words = refused(folder, &["semantic-ids", ".", "--append"]);
    assert!(words.contains("there are no semantic ids to append to"), "{words}");
    peso(folder, &["semantic-ids", "."]);
    let place = place(folder);
    for file in [&place.index, &place.codebooks, &place.quality] {
        let bytes = fs::read(file).unwrap();
        let mut other = bytes.clone();
        // A digit somewhere in the middle of what stays a file of its kind.
        let at = bytes.len() / 2 + bytes[bytes.len() / 2..].iter().position(u8::is_ascii_digit).unwrap_or(0);
        other[at] ^= 1;
        fs::write(file, other).unwrap();
        let name = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
        for arguments in
            [&["semantic-ids", "."][..], &["semantic-ids", ".", "--append"], &["run", ".", "--device", "cpu"]]
        {
            let words = refused(folder, arguments);
            assert!(words.contains(&name(file)) && words.contains(&name(&place.manifest)), "{arguments:?}: {words}");
        }
        let loaded = Project::load(folder).unwrap();
        let error = Dataset::load(&loaded.dataset, loaded.index_path().as_deref(), folder).unwrap_err();
        assert!(error.to_string().contains(&name(&place.manifest)), "{error}");
        fs::write(file, bytes).unwrap();
    }
    peso(folder, &["semantic-ids", "."]);

    // As an earlier version of the program left it: ids and figures alone. They are used as they are, and cannot be appended to.
    fs::remove_file(&place.manifest).unwrap();
    fs::remove_file(&place.codebooks).unwrap();
    let bytes = fs::read(&place.index).unwrap();
    assert!(peso(folder, &["semantic-ids", "."]).stderr.is_empty());
    let words = refused(folder, &["semantic-ids", ".", "--append"]);
    assert!(words.contains("kept no codebooks") && words.contains("--fresh"), "{words}");
    peso(folder, &["semantic-ids", ".", "--fresh"]);
    assert_eq!(fs::read(&place.index).unwrap(), bytes, "the same ids again, with codebooks");
    peso(folder, &["semantic-ids", ".", "--append"]);
}

/// Ends at the first question.
struct Impatient;

impl Watcher for Impatient {
    fn reading(&mut self, _: Progress) {}

    fn waiting(&mut self) {}

    fn step(&mut self, _: &Step) {}

    fn interrupted(&mut self) -> bool {
        true
    }
}

#[test]
fn appending_that_was_ended_has_changed_nothing() {
    let folder = project("", [16, 6, 0]);
    let folder = folder.path();
    peso(folder, &["semantic-ids", "."]);
    let files = || -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(place(folder).folder).unwrap().flatten().map(|entry| entry.path()).collect();
        files.sort();
        files.into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect()
    };
    let before = files();
    write_data(folder, [16, 6, 5], title);
    let ended = Project::load(folder).unwrap().append_semantic_ids(Making::default(), &mut Impatient);
    assert!(matches!(ended, Err(RunError::Stopped)));
    assert_eq!(files(), before);
}

/// Names, ids and hashes of runs that the program gave before it knew `on`.
#[test]
fn the_default_is_what_it_was() {
    let known = [
        ("Words(64)", "1159691e", Some("7a7ae07a2e03957ab5546ff85c029e1deeb379c4bcd16fc1a6b7223601be4590")),
        (
            "Concat([(source: Words(32)), (source: Interactions(4), weight: 0.5)])",
            "b7405074",
            Some("eae0f99199f58f0f973dc457630217c48700e78e19c21f1208040338d8b3abbf"),
        ),
        // The last digits of a decomposition are the processor's, and may put an item into another cluster.
        ("Interactions(4)", "35a33b82", None),
    ];
    for (source, name, known) in known {
        let mut made = known.map(str::to_owned);
        for on in ["", "on: All, "] {
            let text = PROJECT.replace("method: ResidualKMeans, ", on).replace("Words(64)", source);
            let folder = crate::semantic_ids::project(&text);
            peso(folder.path(), &["semantic-ids", "."]);
            let index = place(folder.path()).index;
            assert_eq!(index.file_name().unwrap().to_str(), Some(&format!("{name}.index.json")[..]), "{source}");
            let hash = hash_of(&index).unwrap();
            assert_eq!(*made.get_or_insert_with(|| hash.clone()), hash, "{source}");
        }
    }
    let folder = crate::semantic_ids::project(PROJECT);
    let planned = peso(folder.path(), &["run", ".", "--dry-run", "--device", "cpu"]).stdout;
    assert!(String::from_utf8_lossy(&planned).contains("peso-s1-fa1b43dd"));
    let stage1 = PROJECT.replace("levels: 3", "levels: 3, on: Stage1");
    let (stage1, name) = (crate::semantic_ids::project(&stage1), place(folder.path()).index);
    assert_ne!(place(stage1.path()).index.file_name(), name.file_name());
    let planned = peso(stage1.path(), &["run", ".", "--dry-run", "--device", "cpu"]).stdout;
    assert!(!String::from_utf8_lossy(&planned).contains("peso-s1-fa1b43dd"));
}
