//! `peso compare` on runs whose every hit is known.

use std::path::Path;
use std::process::{Command, Output};

use peso_workbench::data::Protocol;
use peso_workbench::figures::{FigureContext, FigureOptions};
use peso_workbench::project::Project;
use peso_workbench::project::file::DEMO;
use peso_workbench::results::Results;
use peso_workbench::results::seeds::SeedChoice;
use peso_workbench::run::marks::{Mark, Marks, MarksFile};
use peso_workbench::run::{RunMethod, Status};
use serde_json::Value;

use crate::runs::{self, learned};

/// A finished run of two stages in which the first `hits` of 40 users are hit in stage 2.
fn write_run(project: &Project, name: &str, method: &RunMethod, seed: u64, hits: u32, first_user: u32) {
    let run = runs::create(project, name, method, seed);
    runs::hits(&run, Protocol::SameBlock, hits, first_user);
    run.writer().unwrap().set_status(Status::Finished, None).unwrap();
}

fn project(folder: &Path) -> Project {
    runs::project(folder, &DEMO.replace("seeds: [42]", "seeds: [1, 2]"))
}

fn compare(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).arg("compare").arg(folder).args(arguments).output().unwrap()
}

#[test]
fn gains_are_paired_tested_and_corrected() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    for (seed, hits) in [(1, 20), (2, 22)] {
        write_run(&project, "PESO", &learned(&project, "PESO"), seed, hits, 0);
        write_run(&project, "Frozen", &learned(&project, "Frozen"), seed, 10, 0);
    }
    write_run(&project, "Popularity", &RunMethod::Popularity, 0, 5, 0);
    let output = compare(folder.path(), &["--baseline", "frozen", "--metric", "hit@10", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report["baseline"].as_str(), report["synthetic"].as_bool()), (Some("Frozen"), Some(true)));
    let lines = report["lines"].as_array().unwrap();
    assert_eq!(lines.iter().map(|l| l["name"].as_str().unwrap()).collect::<Vec<_>>(), ["PESO", "Popularity"]);
    let number = |line: usize, field: &str| lines[line]["comparison"][field].as_f64().unwrap();
    assert!((number(0, "value") - 0.525).abs() < 1e-12 && (number(0, "gain") - 0.275).abs() < 1e-12);
    assert!((number(1, "gain") + 0.125).abs() < 1e-12, "5 hits of 40 against 10, under both seeds");
    assert_eq!(number(0, "total"), 11.0, "users more that are hit, mean over seeds");
    let interval = &lines[0]["comparison"]["interval"];
    // By NumPy and SciPy: 10 and 12 of 40 users gain; the seeds have 12.2 % of the variance, which weighs 1.6 %.
    assert!((interval["low"].as_f64().unwrap() - 0.090_732_327_7).abs() < 1e-9, "{interval}");
    assert!((number(0, "p_value") - 0.026_226_086_2).abs() < 1e-9, "{}", lines[0]);
    // Popularity and Frozen have no two seeds that differ, so that the family has one member.
    assert_eq!(lines[0]["p_corrected"], lines[0]["comparison"]["p_value"]);
    assert_eq!(lines[0]["evidence"], "Significant");
    assert_eq!((&lines[1]["evidence"], &lines[1]["p_corrected"]), (&"IdenticalSeeds".into(), &Value::Null));
    assert!(lines[0]["interval_corrected"]["low"].as_f64().unwrap() > 0.0, "{}", lines[0]);
    assert!(lines[0]["comparison"]["bootstrap"]["low"].as_f64().unwrap() > 0.1, "{}", lines[0]);
    let only: Vec<_> = lines[0]["mcnemar"].as_array().unwrap().iter().map(|t| t["only_a"].as_u64().unwrap()).collect();
    assert_eq!(only, [10, 12]);

    let text = compare(folder.path(), &["--baseline", "Frozen", "--metric", "hit@10"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("Hit@10, released count against Frozen") && text.contains("+0.2750") && text.contains("+110.0 %"),
        "{text}"
    );
    assert!(text.contains("synthetic data"), "{text}");
    // 0.275, and 0.0907 and 0.4593 as its interval's ends, of 0.25.
    let sentence = "PESO is better than Frozen by 110 % (95 % interval 36 to 184 %)";
    assert!(text.contains(sentence) && lines[0]["sentence"] == sentence, "{text}");
}

#[test]
fn all_lines_are_over_the_seeds_that_all_have_unless_all_seeds_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let project = runs::project(folder.path(), &DEMO.replace("seeds: [42]", "seeds: [1, 2, 3]"));
    let frozen = "Frozen";
    for (seed, hits) in [(1, 20), (2, 22), (3, 40)] {
        write_run(&project, "PESO", &learned(&project, "PESO"), seed, hits, 0);
        write_run(&project, frozen, &learned(&project, frozen), seed, 10, 0);
    }
    let single = "Single evolving LoRA";
    for (seed, hits) in [(1, 8), (2, 9)] {
        write_run(&project, single, &learned(&project, single), seed, hits, 0);
    }
    let line = |arguments: &[&str]| {
        let report = json(folder.path(), arguments);
        let peso = report["lines"].as_array().unwrap().iter().find(|line| line["name"] == "PESO").unwrap().clone();
        (report["seeds"].clone(), peso["comparison"]["seeds"].clone(), peso["comparison"]["value"].as_f64().unwrap())
    };
    let (seeds, number, value) = line(&[]);
    assert_eq!((seeds, number), (Value::from(vec![1, 2]), Value::from(2)));
    assert!((value - 0.525).abs() < 1e-12, "20 and 22 of 40, not the 40 of the third seed: {value}");
    let (seeds, number, value) = line(&["--all-seeds"]);
    assert_eq!((seeds, number), (Value::from(Vec::<u64>::new()), Value::from(3)));
    assert!((value - 82.0 / 120.0).abs() < 1e-12, "{value}");
    let text = compare(folder.path(), &["--baseline", frozen, "--metric", "hit@10"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("Over the seeds that all lines have (1, 2); 2 finished runs of other seeds left out."),
        "{text}"
    );
}

/// The window leaves archived runs out too, so that both say the same.
#[test]
fn archived_runs_are_left_out_of_results_comparisons_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    for (name, hits) in [("PESO", [20, 40]), ("Frozen", [10, 10])] {
        for (seed, hits) in (1..).zip(hits) {
            write_run(&project, name, &learned(&project, name), seed, hits, 0);
        }
    }
    let value = |report: &Value| report["lines"][0]["comparison"]["value"].as_f64().unwrap();
    let arguments = ["--baseline", "Frozen", "--metric", "hit@10"];
    assert!((value(&json(folder.path(), &[])) - 0.75).abs() < 1e-12, "30 of 40 users, mean over two seeds");
    let runs_dir = project.runs_dir(None);
    let archived = runs::create(&project, "PESO", &learned(&project, "PESO"), 2);
    let change = |marks: &mut Marks| marks.set(&archived.config().run, Mark { archived: true, ..Mark::default() });
    MarksFile::new(&runs_dir).change(change).unwrap();
    assert!((value(&json(folder.path(), &[])) - 0.5).abs() < 1e-12, "seed 1 alone");
    let said = compare(folder.path(), &arguments);
    assert!(String::from_utf8_lossy(&said.stderr).contains("1 archived run is left out"));
    let results = Results::read(&project, &runs_dir, Protocol::SameBlock).0;
    assert_eq!(results.runs.len(), 3);
    let context = FigureContext::new(&project, &runs_dir, results, SeedChoice::Shared);
    let runs = context.runs(&FigureOptions::default()).unwrap();
    let names: Vec<&str> = runs.iter().map(|run| run.folder.config().experiment.as_str()).collect();
    assert_eq!(names, ["PESO", "Frozen", "Frozen"], "in the order of the project, as in the window");
    assert_eq!(context.curves(&FigureOptions::default()).unwrap().len(), 3);
}

#[test]
fn what_cannot_be_compared_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let says = |arguments: &[&str], words: &str| {
        let output = compare(folder.path(), arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && output.stdout.is_empty(), "{said}");
    };
    says(&["--baseline", "PESO"], "no run is finished");
    write_run(&project, "PESO", &learned(&project, "PESO"), 1, 20, 0);
    write_run(&project, "Frozen", &learned(&project, "Frozen"), 2, 10, 0);
    says(&["--baseline", "PISO"], "finished are \"PESO\", \"Frozen\"");
    says(&["--baseline", "PESO"], "Frozen cannot be compared: not enough seeds");
    says(&["--baseline", "PESO", "--metric", "mrr@10"], "expected hit@K or ndcg@K");
    says(&["--baseline", "PESO", "--metric", "hit@50"], "hit@50 needs lists of 50 items");
    write_run(&project, "Popularity", &RunMethod::Popularity, 0, 5, 100);
    says(&["--baseline", "PESO"], "tested on other users");
}

/// PESO and Frozen under two seeds, same-block and next-block, and a non-learned baseline that lacks next-block.
fn both_protocols(project: &Project) {
    for (name, hits) in [("PESO", 30), ("Frozen", 10)] {
        for seed in [1, 2] {
            let run = runs::create(project, name, &learned(project, name), seed);
            runs::hits(&run, Protocol::SameBlock, hits, 0);
            runs::hits(&run, Protocol::NextBlock, hits / 2 + seed as u32, 0);
            run.writer().unwrap().set_status(Status::Finished, None).unwrap();
        }
    }
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = compare(folder, &[arguments, &["--baseline", "Frozen", "--metric", "hit@10", "--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_comparison_is_of_one_protocol_and_one_slice() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    both_protocols(&project);
    let number = |report: &Value, field: &str| report["lines"][0]["comparison"][field].as_f64().unwrap();
    let same = json(folder.path(), &[]);
    assert_eq!((number(&same, "gain"), same["protocol"].as_str()), (0.5, Some("same-block")));
    let next = json(folder.path(), &["--protocol", "next-block"]);
    assert_eq!((number(&next, "gain"), next["protocol"].as_str()), (0.25, Some("next-block")));
    // All 24 new users are hit by PESO, 10 of them by Frozen; of the 15 returning ones 6 and none.
    let new = json(folder.path(), &["--slice", "new"]);
    assert!((number(&new, "gain") - 14.0 / 24.0).abs() < 1e-12);
    assert_eq!((number(&new, "users"), new["slice"].as_str()), (24.0, Some("new")));
    let returning = json(folder.path(), &["--slice", "returning"]);
    assert!((number(&returning, "value") - 0.4).abs() < 1e-12 && number(&returning, "baseline") == 0.0);

    let says = |arguments: &[&str], words: &str| {
        let output = compare(folder.path(), &[arguments, &["--baseline", "Frozen"]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words) && output.stdout.is_empty(), "{said}");
    };
    says(&["--slice", "dormant"], "the slice \"dormant\" has 1 tests");
    says(&["--slice", "cold"], "the slice \"cold\" has 0 tests");
    says(&["--slice", "lukewarm"], "is no slice");
    says(&["--protocol", "both"], "expected same-block, next-block or global-time");
    write_run(&project, "Popularity", &RunMethod::Popularity, 0, 5, 0);
    says(&["--protocol", "next-block"], "set `evaluation: (protocol: NextBlock)`, or `Both`, in the project file");
}

#[test]
fn a_comparison_is_written_as_csv_and_latex() {
    let folder = tempfile::tempdir().unwrap();
    both_protocols(&project(folder.path()));
    let text = |form: &str| {
        let output = compare(folder.path(), &["--baseline", "Frozen", "--metric", "hit@10", form]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let csv = text("--csv");
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0][..7], ["experiment", "baseline", "metric", "seeds", "users", "value", "gain"]);
    assert_eq!(rows[1][..7], ["PESO", "Frozen", "hit@10", "2", "40", "0.75", "0.5"]);
    let latex = text("--latex");
    assert!(
        latex.starts_with("% Hit@10, released count against Frozen, mean over")
            && latex.contains("PESO & 2 & 0.7500 & +0.5000")
    );
    assert!(latex.contains("Gain & Relative & Interval &"), "{latex}");
}

/// Ids that four items share: the third id is found for 20 of 40 users, and its items have the places 9 to 12. Popularity, which
/// ranks items, finds 10 users' in place 3.
#[test]
fn a_count_of_whole_ids_is_not_held_against_one_of_items() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    for seed in [1, 2] {
        for (name, hits) in [("PESO", 20), ("Frozen", 18 + seed)] {
            let run = runs::create(&project, name, &learned(&project, name), seed.into());
            runs::shared_hits(&run, Protocol::SameBlock, hits, 0, 4);
            run.writer().unwrap().set_status(Status::Finished, None).unwrap();
        }
    }
    write_run(&project, "Popularity", &RunMethod::Popularity, 0, 10, 0);
    let report = |arguments: &[&str]| -> Value {
        let output = compare(folder.path(), &[arguments, &["--baseline", "Popularity", "--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let default = report(&[]);
    assert_eq!(default["metric"], "ndcg@10_corrected");
    let corrected = report(&["--metric", "hit@10_corrected"]);
    let gain = corrected["lines"][0]["comparison"]["gain"].as_f64().unwrap();
    assert!((gain - (20.0 * 0.5 - 10.0) / 40.0).abs() < 1e-12, "two of the four places are within ten: {gain}");

    let refused = compare(folder.path(), &["--baseline", "Popularity", "--metric", "hit@10"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "no other line ranks items: {words}");
    assert!(words.contains("145 items have 93 ids") && words.contains("compare by hit@10_corrected"), "{words}");

    // Lines of one kind are compared by it, and the other is named.
    let output = compare(folder.path(), &["--baseline", "Frozen", "--metric", "hit@10", "--json"]);
    let released: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(released["lines"].as_array().unwrap().len(), 1);
    assert_eq!(released["refused"][0]["name"], "Popularity");
    let text = compare(folder.path(), &["--baseline", "Frozen", "--metric", "hit@10"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("Not compared: Popularity: 145 items have 93 ids"), "{text}");
}

#[test]
fn lines_without_seeds_are_judged_by_their_users() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    write_run(&project, "Popularity", &RunMethod::Popularity, 0, 5, 0);
    write_run(&project, "Co-occurrence", &RunMethod::CoOccurrence, 0, 25, 0);
    let output = compare(folder.path(), &["--baseline", "Popularity", "--metric", "hit@10"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(" significant") && !text.contains("not enough seeds"), "{text}");
}
