//! A bundle of results: nothing in its bytes tells who the users are or where it was made, and it opens as what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Output};

use peso_workbench::analysis::meaning;
use peso_workbench::analysis::subspace_report::subspace_report;
use peso_workbench::data::Protocol;
use peso_workbench::data::bundle::DataBundle;
use peso_workbench::pack::{self, Contents, ReadOnlyOptions};
use peso_workbench::project::Project;
use peso_workbench::results::Results;
use peso_workbench::run::RunFolder;
use peso_workbench::run::marks::{MarkChange, MarksFile};
use peso_workbench::run::observer::CellIndex;
use zip::ZipArchive;

const USERS: usize = 40;
const ITEMS: usize = 24;
const SECRET: &str = "secret-person";
const MODULE: &str = "model.layers.0.mlp.down_proj";

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    let home = folder.join(SECRET);
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).env("HOME", home).current_dir(folder).output().unwrap()
}

fn done(folder: &Path, arguments: &[&str]) -> Output {
    let output = peso(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn user(number: usize) -> String {
    format!("rawuser-{number:04}-z")
}

/// A trained project of imported data in `<folder>/secret-person/project`, whose data lie elsewhere in that home.
fn trained(folder: &Path) {
    let home = folder.join(SECRET);
    let (project, data) = (home.join("project"), home.join("private-data"));
    fs::create_dir_all(&project).unwrap();
    fs::create_dir_all(&data).unwrap();
    let mut interactions = "user,item,time\n".to_owned();
    for number in 0..USERS {
        for step in 0..15 {
            let item = (number * 5 + step * (1 + number % 3)) % ITEMS;
            interactions += &format!("{},i{item},{}\n", user(number), 1_000_000 * (step + 1) + number);
        }
    }
    fs::write(data.join("log.csv"), interactions).unwrap();
    let titles: String = (0..ITEMS).map(|item| format!("i{item},Private title {item}\n")).collect();
    fs::write(data.join("titles.csv"), format!("id,title\n{titles}")).unwrap();
    let ids: Vec<String> =
        (0..ITEMS).map(|item| format!("\"i{item}\": [\"<a_{}>\", \"<b_{}>\"]", item % 5, item / 5)).collect();
    fs::write(data.join("ids.json"), format!("{{{}}}", ids.join(", "))).unwrap();
    let at = |name: &str| data.join(name).display().to_string();
    let text = format!(
        r#"(format: 1, name: "Private", dataset: Table(path: {:?}, columns: (user: "user", item: "item", time: "time"),
            items: (path: {:?}, id: "id", title: "title"), prepare: (core: 1, stages: Equal(3))),
        semantic_ids: Index({:?}),
        base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
        training: (epochs: 1, batch: 16, learning_rate: 0.01, lora: (rank: 2)),
        evaluation: (beams: 12, k: [1, 5]),
        experiments: [(name: "PESO", method: Peso()), (name: "Single", method: Single)], seeds: [1],
        board: [(figure: "gains", caption: "What we tell", note: "Mention {}"), (figure: "users", options: (user: "{}"), caption: "Look at {}")],
        notes: "Made for {} in {}")"#,
        at("log.csv"),
        at("titles.csv"),
        at("ids.json"),
        user(7),
        user(9),
        user(9),
        user(3),
        project.display()
    );
    fs::write(project.join("project.ron"), text).unwrap();
    done(folder, &["run", "secret-person/project", "--device", "cpu"]);
    let runs = Project::load(&project).unwrap().runs_dir(None);
    let peso = RunFolder::list(&runs).into_iter().find(|run| run.config().experiment == "PESO").unwrap();
    let run = peso.path().display().to_string();
    done(folder, &["interpret", &run, "--module", MODULE, "--stage", "2", "--device", "cpu"]);
    let note =
        MarkChange::Words { add: BTreeSet::new(), remove: BTreeSet::new(), note: Some(format!("ask {}", user(5))) };
    MarksFile::new(&runs)
        .change(|marks| {
            let id = &peso.config().run;
            let mark = note.applied(marks.of(id).clone());
            marks.set(id, mark);
        })
        .unwrap();
}

fn bundle(folder: &Path, name: &str, options: ReadOnlyOptions) -> std::path::PathBuf {
    let zip = folder.join(name);
    let contents = Contents::read_only(&folder.join(SECRET).join("project"), options).unwrap();
    pack::pack(&contents, &zip, &mut |_| ControlFlow::Continue(())).unwrap();
    zip
}

/// The names and bytes of all files, and of the zip itself.
fn bytes(zip: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::from([("the zip".to_owned(), fs::read(zip).unwrap())]);
    let mut archive = ZipArchive::new(File::open(zip).unwrap()).unwrap();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        all.insert(entry.name().to_owned(), bytes);
    }
    all
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// By run and cell, users with target and rank.
type Answers = BTreeMap<(String, usize, usize), Vec<(u32, (u32, u32))>>;

/// By run and cell, what each user's test was answered with: users alone are other numbers.
fn answers(project: &Project) -> Answers {
    let mut all = BTreeMap::new();
    for run in RunFolder::list(&project.runs_dir(None)) {
        for (trained, tested) in (1..=3).flat_map(|trained| (1..=3).map(move |tested| (trained, tested))) {
            let at = CellIndex { protocol: Protocol::SameBlock, trained, tested };
            let outcomes = run.reader().unwrap().user_outcomes(at).unwrap();
            let answers = outcomes.iter().map(|outcome| (outcome.user, (outcome.target, outcome.rank))).collect();
            all.insert((run.config().run.clone(), trained, tested), answers);
        }
    }
    all
}

#[test]
fn a_bundle_tells_results_and_nothing_of_users_or_places() {
    let folder = tempfile::tempdir().unwrap();
    trained(folder.path());
    let project = Project::load(&folder.path().join(SECRET).join("project")).unwrap();
    let zip = bundle(folder.path(), "results.zip", ReadOnlyOptions::default());
    let files = bytes(&zip);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert!(names.iter().any(|name| name.ends_with("subspace.json")), "{names:?}");
    assert!(names.iter().any(|name| name.contains("analysis/stage_2/meaning-")), "{names:?}");
    for name in &names {
        let left_out = ["log.txt", "safetensors", "checkpoint", "base/", "shared-", ".csv", "control", "lock"];
        assert!(!left_out.iter().any(|part| name.contains(part)), "{name}");
    }
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
    let mut secrets: Vec<String> = (0..USERS).map(user).collect();
    secrets.extend(["private-data", SECRET, "Mention ", "Made for", "ask "].map(str::to_owned));
    secrets.push(folder.path().display().to_string());
    secrets.extend((host.len() > 4).then_some(host));
    // What is looked for is there to be found, where nothing was left out.
    let source = fs::read(folder.path().join(SECRET).join("private-data/log.csv")).unwrap();
    assert!(secrets[..USERS].iter().all(|user| holds(&source, user)));
    for (name, bytes) in &files {
        for secret in &secrets {
            assert!(!holds(bytes, secret), "`{name}` tells \"{secret}\"");
        }
    }
    assert!(holds(&files["catalogue.json"], "Private title 3") && holds(&files["project.ron"], "What we tell"));
    let mute = bytes(&bundle(folder.path(), "mute.zip", ReadOnlyOptions { without_titles: true }));
    assert!(mute.iter().all(|(_, bytes)| !holds(bytes, "Private title")));

    // It opens, and says what the project says.
    let there = folder.path().join("there");
    let file = pack::unpack(&zip, &there, &mut |_| ControlFlow::Continue(())).unwrap();
    let opened = Project::load(&file).unwrap();
    assert!(opened.read_only);
    let read = |project: &Project| {
        let results = Results::read(project, &project.runs_dir(None), Protocol::SameBlock).0;
        let run = |run: &peso_workbench::results::RunResult| (run.run.clone(), run.stages.clone());
        results.runs.iter().map(run).collect::<Vec<_>>()
    };
    assert_eq!(read(&opened), read(&project));
    assert_eq!(read(&opened).len(), 4);

    // One pseudonym a user in all runs and cells, other ones in another bundle, and an order that tells nothing.
    let (was, now) = (answers(&project), answers(&opened));
    assert_eq!(was.keys().collect::<Vec<_>>(), now.keys().collect::<Vec<_>>());
    let mut pseudonyms: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for (cell, was) in &was {
        let now = &now[cell];
        let tally = |answers: &[(u32, (u32, u32))]| {
            let mut all: Vec<(u32, u32)> = answers.iter().map(|(_, answer)| *answer).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(tally(was), tally(now), "{cell:?}");
        assert!(now.is_sorted_by_key(|(user, _)| *user), "tests stand by pseudonym");
        for (user, answer) in was {
            let like = now.iter().filter(|(_, other)| other == answer).map(|(user, _)| *user).collect();
            let known = pseudonyms.entry(*user).or_insert_with(|| (0..USERS as u32).collect());
            *known = known.intersection(&like).copied().collect();
        }
    }
    assert!(pseudonyms.values().all(|left| !left.is_empty()), "no user has one pseudonym in all runs: {pseudonyms:?}");
    assert!(pseudonyms.iter().any(|(user, left)| !left.contains(user)), "nobody has another number");
    let other = bundle(folder.path(), "other.zip", ReadOnlyOptions::default());
    let other = pack::unpack(&other, &folder.path().join("other"), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_ne!(answers(&Project::load(&other).unwrap()), now);

    // What was found out about adapters is there without them.
    let run =
        RunFolder::list(&opened.runs_dir(None)).into_iter().find(|run| run.config().experiment == "PESO").unwrap();
    let report = subspace_report(&run, &std::sync::atomic::AtomicBool::new(false)).unwrap().unwrap();
    assert_eq!(report.stages, [1, 2, 3]);
    let meaning = meaning::cached(&run, 2, MODULE).unwrap();
    assert!(!meaning.directions.is_empty());
    assert!(meaning.directions.iter().all(|direction| direction.activation.users.raised.is_empty()));
    let data = DataBundle::read(&there).unwrap();
    assert_eq!((data.users, data.items.len(), data.stages), (USERS, ITEMS, 3));
    assert_eq!((data.summary.users, data.summary.stages.len()), (USERS, 3));

    // Nothing can be trained or asked of it.
    for command in [
        vec!["run", "there"],
        vec!["run", "there", "--dry-run"],
        vec!["recommend", "there", "--history", "i1"],
        vec!["retention", run.path().to_str().unwrap()],
    ] {
        let refused = peso(folder.path(), &command);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{command:?}: {said}");
        assert!(
            said.contains("the project is read-only: it has results, and no data or models"),
            "{command:?}: {said}"
        );
    }
    let figures = done(folder.path(), &["export", "there", "--figure", "all", "--to", "figures"]);
    assert!(String::from_utf8(figures.stderr).unwrap().contains("Wrote figures"));
}
