use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::layout::{CONFIG, DATABASE, LOG};
use super::observer::{
    CellIndex, Control, EvaluationRecord, Level, Observer, Phase, Progress, StageRecord, StepRecord, TestSet,
    UserOutcome,
};
use super::*;
use crate::baseline::{ChosenOptions, CoOccurrenceOptions};
use crate::data::Protocol;
use crate::measure::{Place, Slice, Slices};
use crate::method::MethodOptions;
use crate::project::file::DEMO;
use crate::project::slug::slug;
use crate::project::{Project, Protocols};
use crate::semantic_id::IdCounts;

pub(crate) fn config() -> RunConfig {
    let project = Project::parse(DEMO, Path::new("somewhere/project.ron")).unwrap();
    let experiment = project.experiments[0].clone();
    let method = RunMethod::Learned(experiment.method);
    let config_hash = RunConfig::hash_of(&project, &method).unwrap();
    RunConfig {
        format: RunConfig::FORMAT,
        identity: RunConfig::IDENTITY,
        run: RunConfig::id_of(&experiment.name, &method, 42, &config_hash),
        experiment: experiment.name,
        method,
        seed: 42,
        project,
        device: "CPU".to_owned(),
        version: "0.1.0".to_owned(),
        config_hash,
        data_hash: "data".to_owned(),
        model_hash: "model".to_owned(),
        synthetic: true,
        stages: 3,
        catalogue: Some(IdCounts { items: 12, ids: 10 }),
        trainable_parameters: 1000,
        created_unix: 0,
    }
}

fn step(stage: usize, phase: Phase, step: usize) -> StepRecord {
    StepRecord {
        phase,
        stage,
        epoch: 1,
        step,
        steps: 9,
        loss: 1.0 / step as f64,
        penalty: 0.25,
        penalty_share: 0.2,
        pull_ratio: 0.1,
        gradient_norm: f64::NAN,
        learning_rate: 1e-3,
        examples: 32,
        seconds: 0.5,
    }
}

fn cell(protocol: Protocol, trained: usize, tested: usize) -> CellIndex {
    CellIndex { protocol, trained, tested }
}

pub(crate) fn same_block(trained: usize, tested: usize) -> CellIndex {
    cell(Protocol::SameBlock, trained, tested)
}

pub(crate) fn evaluation(at: CellIndex) -> EvaluationRecord {
    let user = UserOutcome {
        user: 7,
        target: u32::MAX,
        rank: 2,
        before: 1,
        sharing: 1,
        top: vec![3, u32::MAX, 0],
        known: None,
    };
    let metrics = BTreeMap::from([("hit@10".to_owned(), (10 * at.trained + at.tested) as f64)]);
    EvaluationRecord { at, metrics, users: vec![user.clone(), user], seconds: 0.5 }
}

fn stage(stage: usize, finished: bool) -> StageRecord {
    StageRecord {
        stage,
        train_examples: 5,
        validation_losses: vec![0.5, 0.25],
        best_epoch: 2,
        finished,
        ..Default::default()
    }
}

pub(crate) fn write_stage(writer: &mut RunWriter, number: usize) {
    writer.stage(&stage(number, false)).unwrap();
    for at in 1..=4 {
        writer.step(&step(number, Phase::Train, at)).unwrap();
    }
    for tested in 1..=3 {
        writer.evaluation(&evaluation(same_block(number, tested))).unwrap();
    }
    for tested in number + 1..=3 {
        writer.evaluation(&evaluation(cell(Protocol::NextBlock, number, tested))).unwrap();
    }
    writer.stage(&stage(number, true)).unwrap();
}

/// Everything that a reader sees, but for the log.
fn contents(run: &RunFolder) -> String {
    let reader = run.reader().unwrap();
    let cells = reader.evaluations().unwrap();
    let outcomes: Vec<_> = cells.iter().map(|cell| reader.user_outcomes(cell.at).unwrap()).collect();
    let (steps, stages) = (reader.steps_after(0).unwrap(), reader.stages().unwrap());
    format!("{steps:?}\n{cells:?}\n{outcomes:?}\n{stages:?}")
}

#[test]
fn what_is_written_is_read_back() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    assert_eq!(run.status(), Status::Queued);
    let _lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    writer.set_status(Status::Running, None).unwrap();
    write_stage(&mut writer, 1);
    writer.event(Level::Warning, "slow\nvery").unwrap();
    let progress = Progress {
        phase: Phase::Train,
        stage: 2,
        stages: 3,
        done: 4,
        total: 9,
        rate: 12.5,
        eta_seconds: None,
        memory_bytes: 1 << 33,
    };
    writer.progress(&progress).unwrap();
    writer.flush().unwrap();

    let reader = run.reader().unwrap();
    assert_eq!(reader.status().unwrap(), Status::Running);
    assert_eq!(reader.progress().unwrap(), Some(progress));
    assert_eq!(reader.stages().unwrap(), [stage(1, true)]);
    let steps = reader.steps_after(0).unwrap();
    assert_eq!(steps.iter().map(|(_, step)| step.step).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(steps[1].1.gradient_norm.is_nan());
    assert_eq!(steps[1].1.loss, 0.5);
    assert_eq!(reader.steps_after(steps[2].0).unwrap().len(), 1);
    assert_eq!(reader.user_outcomes(same_block(1, 2)).unwrap(), evaluation(same_block(1, 2)).users);
    let events = reader.events_after(0).unwrap();
    assert_eq!((events.len(), events[0].1.level, events[0].1.text.as_str()), (1, Level::Warning, "slow\nvery"));
    assert!(fs::read_to_string(run.path().join(LOG)).unwrap().contains("warning slow"));
}

#[test]
fn what_is_known_of_the_tests_is_read_back() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    let mut writer = run.writer().unwrap();
    let slices = |group| [group, Slice::Cold, Slice::Tail, Slice::Short];
    let tests = |slices: Vec<Slices>| TestSet { protocol: Protocol::NextBlock, stage: 2, left_out: 5, slices };
    writer.test_set(&tests(vec![slices(Slice::New); 3])).unwrap();
    let last = vec![slices(Slice::Dormant), slices(Slice::Returning)];
    writer.test_set(&tests(last.clone())).unwrap();
    let reader = run.reader().unwrap();
    assert_eq!(reader.slices(Protocol::NextBlock, 2).unwrap(), last);
    assert!(reader.slices(Protocol::SameBlock, 2).unwrap().is_empty());
    assert_eq!(reader.left_out().unwrap(), BTreeMap::from([((Protocol::NextBlock, 2), 5)]));
    writer.test_set(&TestSet { protocol: Protocol::SameBlock, stage: 2, left_out: 1, slices: last.clone() }).unwrap();
    assert_eq!(reader.left_out().unwrap()[&(Protocol::GlobalTime, 2)], 1, "those of same-block");
    assert_eq!(reader.slices(Protocol::GlobalTime, 2).unwrap(), last);
}

#[test]
fn places_among_known_items_are_read_back_and_a_file_of_before_gets_them_when_it_is_measured_again() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    let plain = evaluation(same_block(1, 2));
    let mut writer = run.writer().unwrap();
    writer.evaluation(&plain).unwrap();
    drop(writer);
    let connection = rusqlite::Connection::open(run.path().join(DATABASE)).unwrap();
    connection.execute_batch("DROP TABLE known_outcomes").unwrap();
    let old = run.reader().unwrap();
    assert_eq!(old.user_outcomes(plain.at).unwrap(), plain.users);
    assert!(!old.evaluations().unwrap()[0].has_known_items());

    let mut with = plain.clone();
    with.users[1].known = Some(Place { rank: 1, before: 0, sharing: 3 });
    with.metrics.insert("ndcg@10_known_corrected".to_owned(), 0.5);
    let mut writer = run.writer().unwrap();
    writer.evaluation(&with).unwrap();
    assert_eq!(old.user_outcomes(plain.at).unwrap(), with.users, "one has a place, the other none");
    assert!(old.evaluations().unwrap()[0].has_known_items());
    writer.evaluation(&plain).unwrap();
    assert_eq!(old.user_outcomes(plain.at).unwrap(), plain.users, "a cell is replaced as a whole");
}

#[test]
fn measurements_of_an_older_version_are_refused_with_theirs() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    let connection = rusqlite::Connection::open(run.path().join(DATABASE)).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let Err(error) = run.reader() else { panic!("version 1 was read") };
    assert_eq!(error.problem, "the measurements are of version 1");
    assert_eq!(error.advice.as_deref(), Some("this program reads version 2"));
}

#[test]
fn a_rewound_run_writes_the_rows_of_one_that_was_never_cut_off() {
    let runs = tempfile::tempdir().unwrap();
    let whole = RunFolder::create(&runs.path().join("whole"), &config()).unwrap();
    let cut = RunFolder::create(&runs.path().join("cut"), &config()).unwrap();
    for run in [&whole, &cut] {
        let mut writer = run.writer().unwrap();
        write_stage(&mut writer, 1);
        write_stage(&mut writer, 2);
    }
    let mut writer = cut.writer().unwrap();

    // After step 2 of stage 2: its later steps and its cells go, stage 1 stays.
    writer.rewind(2, Phase::Train, 2).unwrap();
    let reader = cut.reader().unwrap();
    assert_eq!(reader.steps_after(0).unwrap().len(), 6);
    // Three and two of same-block and next-block, and two of the former under global-time as well.
    assert_eq!(reader.evaluations().unwrap().len(), 7);
    assert_eq!(reader.stages().unwrap(), [stage(1, true), stage(2, false)]);
    for at in 3..=4 {
        writer.step(&step(2, Phase::Train, at)).unwrap();
    }
    writer.evaluation(&evaluation(same_block(2, 1))).unwrap();
    writer.evaluation(&evaluation(same_block(2, 2))).unwrap();

    // While stage 2 is measured: what is measured stays.
    writer.rewind(2, Phase::Evaluate, 0).unwrap();
    assert_eq!(reader.evaluations().unwrap().len(), 9);
    writer.evaluation(&evaluation(same_block(2, 3))).unwrap();
    writer.evaluation(&evaluation(cell(Protocol::NextBlock, 2, 3))).unwrap();
    writer.stage(&stage(2, true)).unwrap();

    // Between stages nothing is lost.
    writer.rewind(2, Phase::Evaluate, 0).unwrap();
    writer.rewind(3, Phase::Train, 0).unwrap();
    assert_eq!(contents(&cut), contents(&whole));
}

#[test]
fn readers_see_whole_transactions_while_the_writer_writes() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let reader = run.reader().unwrap();
            let (mut last, mut seen) = (0, 0);
            loop {
                let ending = done.load(Ordering::Acquire);
                for (id, record) in reader.steps_after(last).unwrap() {
                    seen += 1;
                    assert_eq!((id, record.step), (seen, seen as usize));
                    last = id;
                }
                for cell in reader.evaluations().unwrap() {
                    let outcomes = reader.user_outcomes(cell.at).unwrap();
                    assert_eq!((cell.users, cell.metrics.len()), (outcomes.len(), 1));
                }
                if ending {
                    return seen;
                }
            }
        });
        let mut writer = run.writer().unwrap();
        for at in 1..=300 {
            writer.step(&step(1, Phase::Train, at)).unwrap();
            if at % 10 == 0 {
                writer.evaluation(&evaluation(same_block(1, at / 10))).unwrap();
            }
        }
        drop(writer);
        done.store(true, Ordering::Release);
        assert_eq!(reading.join().unwrap(), 300);
    });
}

#[test]
fn a_run_whose_worker_died_is_stopped() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    let lock = run.lock().unwrap();
    run.writer().unwrap().set_status(Status::Running, None).unwrap();
    assert_eq!(run.status(), Status::Running);
    assert!(run.lock().unwrap_err().problem.contains("another worker"));
    drop(lock);
    assert_eq!(run.status(), Status::Stopped);
    run.writer().unwrap().set_status(Status::Failed, Some("out of memory")).unwrap();
    assert_eq!(run.status(), Status::Failed);
    assert_eq!(run.reader().unwrap().reason().unwrap().as_deref(), Some("out of memory"));
    run.lock().unwrap();
}

#[test]
fn a_pause_lasts_until_the_user_wants_something_else() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    let _lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    assert_eq!(writer.control(), Control::Run);
    run.set_control(Control::Pause).unwrap();
    thread::sleep(Duration::from_millis(120));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| writer.control());
        let patience = Instant::now() + Duration::from_secs(10);
        while run.status() != Status::Paused {
            assert!(Instant::now() < patience, "the run never paused");
            thread::sleep(Duration::from_millis(10));
        }
        assert!(!waiting.is_finished());
        run.set_control(Control::Stop).unwrap();
        assert_eq!(waiting.join().unwrap(), Control::Stop);
    });
}

#[test]
fn a_folder_that_cannot_be_used_does_not_hide_the_others() {
    let runs = tempfile::tempdir().unwrap();
    let good = RunFolder::create(runs.path(), &config()).unwrap();
    let broken = |name: &str, config: &str, database: &[u8]| {
        let folder = runs.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(CONFIG), config).unwrap();
        fs::write(folder.join(DATABASE), database).unwrap();
    };
    let frozen = fs::read_to_string(good.path().join(CONFIG)).unwrap();
    broken("a-garbled", "(format: 1, run: ", b"");
    broken("b-stages", &frozen.replace("    stages: 3,", "    stages: 99999999999,"), b"");
    broken(
        "c-foreign-database",
        &frozen,
        b"this is no database at all, and long enough to have a header of SQLite's size.................",
    );
    broken("shared-base", "anything", b"");
    fs::create_dir(runs.path().join("empty")).unwrap();
    let (listed, unreadable) = RunFolder::list_all(runs.path());
    assert_eq!(unreadable.len(), 2);
    assert!(unreadable[0].path.ends_with("a-garbled/run.ron"));
    // Its configuration is fine, so it is listed; what cannot be read is said when it is read.
    let foreign = listed.iter().find(|run| run.path().ends_with("c-foreign-database")).unwrap();
    assert_eq!(foreign.status(), Status::Failed);
    assert!(foreign.reader().is_err());
    assert_eq!(listed.len(), 2);
}

#[test]
fn a_folder_of_other_data_is_not_resumed() {
    let runs = tempfile::tempdir().unwrap();
    let first = RunFolder::create(runs.path(), &config()).unwrap();
    assert_eq!(RunFolder::create(runs.path(), &config()).unwrap(), first);
    let other = RunConfig { data_hash: "other".to_owned(), ..config() };
    let error = RunFolder::create(runs.path(), &other).unwrap_err();
    assert!(error.to_string().contains("--fresh"));
    first.delete().unwrap();
    RunFolder::create(runs.path(), &other).unwrap();
    assert_eq!(fs::read_dir(runs.path()).unwrap().count(), 1);
}

/// Makes a run's folder what a program of before [`RunConfig::identity`] leaves: with other hashes, and named after them.
fn aged(run: &RunFolder) -> PathBuf {
    let config = run.config();
    let old_id = format!("{}-0badcafe", config.run.rsplit_once('-').unwrap().0);
    let text = fs::read_to_string(run.path().join(CONFIG)).unwrap();
    let text = text
        .replace(&format!("    identity: {},\n", RunConfig::IDENTITY), "")
        .replace(&format!("\"{}\"", config.run), &format!("\"{old_id}\""))
        .replace(&config.config_hash, "0badcafe")
        .replace("model_hash: \"model\"", "model_hash: \"made in another way\"");
    assert!(!text.contains("identity"), "{text}");
    fs::write(run.path().join(CONFIG), text).unwrap();
    let path = run.path().with_file_name(old_id);
    fs::rename(run.path(), &path).unwrap();
    path
}

#[test]
fn a_run_with_a_hash_of_before_is_recognised_by_its_settings() {
    let runs = tempfile::tempdir().unwrap();
    let path = aged(&RunFolder::create(runs.path(), &config()).unwrap());
    let (listed, unreadable) = RunFolder::list_all(runs.path());
    assert!(unreadable.is_empty(), "{unreadable:?}");
    assert_eq!((listed[0].path(), listed[0].config().run.as_str()), (path.as_path(), config().run.as_str()));
    assert_eq!(listed[0].config().config_hash, config().config_hash);
    assert_eq!(RunFolder::path_of(runs.path(), &config().run), path);
    assert_eq!(RunFolder::create(runs.path(), &config()).unwrap().path(), path);
    assert_eq!(fs::read_dir(runs.path()).unwrap().count(), 1, "no second folder is made");
    let other = RunConfig { data_hash: "other".to_owned(), ..config() };
    assert!(RunFolder::create(runs.path(), &other).unwrap_err().to_string().contains("other data"));
    // Other settings are another run.
    let mut changed = config();
    changed.project.training.batch += 1;
    changed.config_hash = RunConfig::hash_of(&changed.project, &changed.method).unwrap();
    changed.run = RunConfig::id_of(&changed.experiment, &changed.method, 42, &changed.config_hash);
    assert_eq!(RunFolder::create(runs.path(), &changed).unwrap().path(), runs.path().join(&changed.run));
}

#[test]
fn settings_of_every_kind_have_a_hash() {
    let RunConfig { project, .. } = config();
    let mut hashes: Vec<String> = MethodOptions::all()
        .into_iter()
        .map(RunMethod::Learned)
        .chain([RunMethod::Popularity, RunMethod::CoOccurrence])
        .map(|method| RunConfig::hash_of(&project, &method).unwrap())
        .collect();
    let kinds = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), kinds, "no two methods have the same");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("projects");
    for file in fs::read_dir(shipped).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
        let project = Project::parse(&fs::read_to_string(&file).unwrap(), &file).unwrap();
        RunConfig::hash_of(&project, &RunMethod::Learned(MethodOptions::Single)).unwrap();
    }
}

/// Before its options were chosen, a run of co-occurrence had others: it has another hash, and neither identity of before takes
/// it for a run of now. The settings of all others are as they were.
#[test]
fn a_run_of_co_occurrence_of_before_is_another() {
    let counted = |method: RunMethod| {
        let project = config().project;
        let config_hash = RunConfig::hash_of(&project, &method).unwrap();
        let run = RunConfig::id_of(method.label(), &method, 0, &config_hash);
        RunConfig { run, experiment: method.label().to_owned(), method, seed: 0, config_hash, ..config() }
    };
    let settings = |method| super::config::settings(&config().project, &method).unwrap();
    assert_eq!(settings(RunMethod::CoOccurrence)["search"]["decay"], serde_json::json!([0.5, 0.7, 0.8, 0.9, 1.0]));
    assert_eq!(settings(RunMethod::Popularity).get("search"), None);
    let now = counted(RunMethod::CoOccurrence);
    let mut before = settings(RunMethod::CoOccurrence);
    before.as_object_mut().unwrap().remove("search");
    assert_ne!(crate::canonical::hash(&format!("run settings {}", RunConfig::IDENTITY), &before), now.config_hash);

    let runs = tempfile::tempdir().unwrap();
    let path = aged(&RunFolder::create(runs.path(), &now).unwrap());
    assert_ne!(RunFolder::path_of(runs.path(), &now.run), path);
    let popularity = counted(RunMethod::Popularity);
    let path = aged(&RunFolder::create(runs.path(), &popularity).unwrap());
    assert_eq!(RunFolder::path_of(runs.path(), &popularity.run), path);
}

#[test]
fn the_options_that_a_run_chose_are_read_back() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    assert_eq!(run.reader().unwrap().chosen_options().unwrap(), None);
    let options = CoOccurrenceOptions { window: 2, newest: 5, decay: 0.8 };
    let chosen = ChosenOptions { options, validation_users: 7, validation_ndcg: 0.1 + 0.2 };
    run.writer().unwrap().chosen_options(&chosen).unwrap();
    assert_eq!(run.reader().unwrap().chosen_options().unwrap(), Some(chosen));
}

/// Another hash would be another run to every project: only with another [`RunConfig::IDENTITY`].
#[test]
fn the_hash_of_given_settings_stays() {
    let RunConfig { project, method, .. } = config();
    let text = crate::canonical::text(&super::config::settings(&project, &method).unwrap());
    assert_eq!(
        text,
        "{\"base_model\":{\"Compact\":{\"ffn\":192,\"layers\":2,\"width\":64}},\"dataset\":{\"Synthetic\":{}},\
         \"evaluation\":{\"beams\":20,\"users\":{\"Sample\":200}},\"method\":{\"Learned\":{\"Peso\":{}}},\"prompt\":\"Compact\",\
         \"semantic_ids\":\"Dataset\",\"training\":{\"epochs\":3,\"later_stage_factor\":1,\"learning_rate\":2e-3}}"
    );
}

#[test]
fn the_hash_covers_what_decides_the_numbers_and_nothing_else() {
    let RunConfig { project, method, config_hash, .. } = config();
    let hash = |change: &dyn Fn(&mut Project)| {
        let mut project = project.clone();
        change(&mut project);
        RunConfig::hash_of(&project, &method).unwrap()
    };
    let unchanged = hash(&|p| {
        p.name = "Other".to_owned();
        p.seeds = vec![1, 2];
        p.experiments.truncate(1);
        p.folder = PathBuf::from("elsewhere");
        p.evaluation.protocol = Protocols::Both;
        p.evaluation.known_items = true;
    });
    assert_eq!(unchanged, config_hash);
    assert_ne!(hash(&|p| p.training.batch += 1), config_hash);
    assert_ne!(hash(&|p| p.evaluation.beams += 1), config_hash);
    assert_ne!(RunConfig::hash_of(&project, &RunMethod::Learned(MethodOptions::Single)).unwrap(), config_hash);
    // Counting does not depend on the model's training.
    let mut retrained = project.clone();
    retrained.training.batch += 1;
    let popularity = |project: &Project| RunConfig::hash_of(project, &RunMethod::Popularity).unwrap();
    assert_eq!(popularity(&retrained), popularity(&project));
}

#[test]
fn slugs_are_safe_folder_names() {
    assert_eq!(slug("SumLoRA latest + inherit"), "sumlora-latest-inherit");
    assert_eq!(slug("../../etc"), "etc");
    assert_eq!(slug("  "), "experiment");
    assert_eq!(slug("Shared base"), "run-shared-base");
    assert_eq!(slug("Shared"), "run-shared");
    assert!(slug(&"x".repeat(500)).len() <= 40);
}

#[test]
fn rates_of_training_are_those_of_the_steps_with_and_without_their_sums() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    (1..=2).for_each(|stage| write_stage(&mut run.writer().unwrap(), stage));
    let rates = run.reader().unwrap().training_rates().unwrap();
    assert_eq!(rates.keys().copied().collect::<Vec<_>>(), [1, 2]);

    // A file of an earlier version has none, and gets them for the stages to come alone.
    let database = rusqlite::Connection::open(run.path().join(DATABASE)).unwrap();
    database.execute_batch("DROP TABLE training_sums").unwrap();
    drop(database);
    assert_eq!(run.reader().unwrap().training_rates().unwrap(), rates);
    write_stage(&mut run.writer().unwrap(), 3);
    let all = run.reader().unwrap().training_rates().unwrap();
    assert_eq!((all.len(), all[&1], all[&2]), (3, rates[&1], rates[&2]));

    // Who goes back to the beginning of a stage has no rate of it any more.
    run.writer().unwrap().rewind(3, Phase::Train, 0).unwrap();
    assert_eq!(run.reader().unwrap().training_rates().unwrap(), rates);
}

#[test]
fn a_transaction_outlives_a_power_failure_and_readers_write_nothing() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    let path = run.path().join(DATABASE);
    let writer = database::open_writer(&path).unwrap();
    let setting = |connection: &rusqlite::Connection, name: &str| -> String {
        connection.query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0)).unwrap()
    };
    // https://www.sqlite.org/pragma.html#pragma_synchronous: 2 is FULL.
    assert_eq!((setting(&writer, "journal_mode"), setting(&writer, "synchronous")), ("wal".to_owned(), "2".to_owned()));
    let reader = database::open_reader(&path).unwrap();
    assert!(reader.execute("DELETE FROM state", []).is_err());
}
