//! Datasets as people have them: the released format, what is wrong with files, the generator.

use std::fs;
use std::path::{Path, PathBuf};

use peso_workbench::baseline::co_occurrence::SEARCH;
use peso_workbench::baseline::{self, ChosenOptions, CoOccurrence, CountingBaseline, Popularity};
use peso_workbench::data::synthetic::{self, Truth};
use peso_workbench::data::{Dataset, DatasetSource, Protocol, StageSummary, Summary, SyntheticOptions};
use peso_workbench::error::InputError;
use peso_workbench::measure::Slice;
use peso_workbench::measure::ranking::aggregate;
use peso_workbench::project::UsersPerStage;
use peso_workbench::run::observer::TestSet;
use peso_workbench::semantic_id::Trie;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data");

fn load(path: &Path) -> Result<Dataset, InputError> {
    Dataset::load(&DatasetSource::PesoRelease { path: path.to_path_buf() }, None, Path::new(FIXTURES))
}

/// A copy of the small release that a test may spoil.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(Path::new(FIXTURES).join("tiny_release")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        Self(folder)
    }

    fn file(&self, end: &str) -> PathBuf {
        self.0.path().join(format!("Tiny_cl.{end}.json"))
    }

    /// Replaces `from` by `to` in a file, which must have it.
    fn edit(&self, end: &str, from: &str, to: &str) -> &Self {
        let text = fs::read_to_string(self.file(end)).unwrap();
        assert!(text.contains(from), "{end} has no {from}");
        fs::write(self.file(end), text.replacen(from, to, 1)).unwrap();
        self
    }

    fn error(&self) -> InputError {
        load(self.0.path()).unwrap_err()
    }
}

#[test]
fn a_small_release_is_read_exactly() {
    let dataset = load(Path::new("tiny_release")).unwrap();
    assert_eq!(dataset.name, "Tiny_cl");
    assert!(!dataset.synthetic);
    let ids: Vec<&str> = dataset.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["3", "4", "5", "7", "8", "9", "12", "20", "21", "100"]);
    assert_eq!(dataset.users, ["ann", "bob", "cyd", "dee", "eve"]);
    let titles: Vec<&str> = dataset.items.iter().filter_map(|item| item.title.as_deref()).collect();
    assert_eq!(titles, ["Blue kettle", "Paper “lantern”"]);
    // Level 1 has the codes 0, 1, 2 and 10, in the order of their numbers.
    assert_eq!(dataset.index.tokens[..5], ["<a_0>", "<a_1>", "<a_2>", "<a_10>", "<b_0>"]);
    assert_eq!(dataset.index.item(4)[0], 3);
    assert_eq!(dataset.index.item(0), dataset.index.item(6));
    let bob = &dataset.stages[1].sequences[0];
    assert_eq!((bob.user, bob.items.as_slice(), bob.current_from), (1, &[6, 0, 1, 4, 5, 2, 3][..], 4));
    let test = bob.test().unwrap();
    assert_eq!((test.history, test.target), (&[6, 0, 1, 4, 5, 2][..], 3));
    assert_eq!(bob.validation().unwrap().target, 2);
    assert_eq!(bob.training_targets(), 4..5);
}

#[test]
fn a_small_release_has_exact_counts() {
    let summary = load(Path::new("tiny_release")).unwrap().summary();
    assert_eq!((summary.users, summary.items, summary.titles), (5, 10, 2));
    assert_eq!((summary.distinct_ids, summary.largest_collision), (9, 2));
    assert_eq!((summary.levels, &summary.codes[..]), (4, &[4, 4, 3, 4][..]));
    let counts = |of: fn(&StageSummary) -> usize| summary.stages.iter().map(of).collect::<Vec<_>>();
    assert_eq!(counts(|stage| stage.stage), [1, 2, 3]);
    assert_eq!(counts(|stage| stage.users), [3, 2, 3]);
    assert_eq!(counts(|stage| stage.participants), [2, 2, 2]);
    assert_eq!(counts(|stage| stage.interactions), [11, 9, 8]);
    assert_eq!(counts(|stage| stage.training_examples), [5, 5, 3]);
    assert_eq!(counts(|stage| stage.test_users), [2, 2, 2]);
    assert_eq!(counts(|stage| stage.new_users), [3, 1, 1]);
    assert_eq!(counts(|stage| stage.new_items), [7, 2, 1]);
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
}

#[test]
fn the_hash_follows_the_content_alone() {
    let original = load(Path::new("tiny_release")).unwrap().hash;
    assert_eq!(original.len(), 64);
    let copy = Copy::new();
    assert_eq!(load(copy.0.path()).unwrap().hash, original);
    copy.edit("all.block_2", "\"100\",", "\"9\",");
    assert_ne!(load(copy.0.path()).unwrap().hash, original);
    let codes = Copy::new();
    codes.edit("index.hand", "<d_3>", "<d_4>");
    assert_ne!(load(codes.0.path()).unwrap().hash, original);
}

#[test]
fn another_index_takes_the_place_of_the_own() {
    let copy = Copy::new();
    let other = copy.0.path().join("other.json");
    let text = fs::read_to_string(copy.file("index.hand")).unwrap();
    fs::write(&other, text.replace("<a_10>", "<a_0>")).unwrap();
    fs::remove_file(copy.file("index.hand")).unwrap();
    let source = DatasetSource::PesoRelease { path: ".".into() };
    let dataset = Dataset::load(&source, Some(Path::new("other.json")), copy.0.path()).unwrap();
    assert_eq!(dataset.summary().codes, [3, 4, 3, 4]);
    let missing = Dataset::load(&source, Some(Path::new("nowhere.json")), copy.0.path()).unwrap_err();
    assert!(missing.path.ends_with("nowhere.json"), "{missing}");
}

#[test]
fn a_missing_block_is_named() {
    for (block, problem) in [(0, "the base stage, block 0, is missing"), (1, "a block in the middle is missing")] {
        let copy = Copy::new();
        fs::remove_file(copy.file(&format!("all.block_{block}"))).unwrap();
        let error = copy.error();
        assert_eq!((error.problem.as_str(), &error.path), (problem, &copy.file(&format!("all.block_{block}"))));
    }
}

#[test]
fn a_folder_without_one_dataset_says_what_it_should_hold() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(load(empty.path()).unwrap_err().problem, "no block in the folder");
    assert_eq!(load(&empty.path().join("nowhere")).unwrap_err().problem, "there is no such folder");
    let copy = Copy::new();
    assert_eq!(load(&copy.file("index.hand")).unwrap_err().problem, "not a folder");
    fs::copy(copy.file("index.hand"), copy.file("index.second")).unwrap();
    let several = copy.error();
    assert!(several.problem.contains("Tiny_cl.index.hand.json, Tiny_cl.index.second.json"), "{several}");
    fs::remove_file(copy.file("index.second")).unwrap();
    fs::remove_file(copy.file("index.hand")).unwrap();
    assert_eq!(copy.error().problem, "the semantic-id index is missing");
    fs::copy(copy.file("all.block_0"), copy.0.path().join("Other.all.block_0.json")).unwrap();
    assert_eq!(copy.error().problem, "blocks of several datasets in one folder: Other, Tiny_cl");
}

#[test]
fn what_is_wrong_in_a_file_is_named_with_its_place() {
    for (end, from, to, problem, place) in [
        (
            "all.block_0",
            "\"9\"",
            "\"77\"",
            "item `77` has no semantic id in Tiny_cl.index.hand.json",
            "user ann, line 9",
        ),
        ("all.block_1", "\"9\"", "9", "invalid type: integer `9`, expected an item id (a string)", "user bob, line 10"),
        ("all.block_1", "\"dee\"", "\"bob\"", "the user occurs twice in the block", "user bob, line"),
        ("all.block_1", "current_block", "next_block", "missing field `current_block`", "user bob, line 14"),
        ("all.block_0", "[]", "null", "invalid type: null, expected a list of item ids (strings)", "user ann, line 3"),
        ("all.block_0", "[]", "[[[[", "invalid type: sequence, expected an item id (a string)", "user ann, line 3"),
        ("index.hand", "<a_10>", "<e_10>", "item `8` has the code `<e_10>` on level 1", "line 1"),
        ("index.hand", "\"<d_3>\"", "7", "invalid type: integer `7`, expected a string", "line 1"),
        ("item", "\"Blue kettle\"", "[7]", "invalid type: sequence, expected a string", "line 3"),
    ] {
        let copy = Copy::new();
        let error = copy.edit(end, from, to).error();
        assert!(error.problem.starts_with(problem), "{error}");
        assert!(error.place.as_deref().unwrap_or_default().starts_with(place), "{error}");
        assert_eq!(error.path, copy.file(end), "{error}");
    }
}

#[test]
fn files_of_another_shape_are_refused() {
    for end in ["all.block_0", "index.hand", "item"] {
        for (text, problem) in [
            ("", "the file is empty"),
            ("[]", "invalid type: sequence, expected an object of"),
            ("3", "invalid type: integer `3`, expected an object of"),
            ("{} {}", "trailing characters"),
            ("\u{feff}{}", "expected value"),
        ] {
            let copy = Copy::new();
            fs::write(copy.file(end), text).unwrap();
            let error = copy.error();
            assert!(error.problem.starts_with(problem), "{end} {text}: {error}");
            assert_eq!(error.path, copy.file(end));
        }
        let copy = Copy::new();
        fs::write(copy.file(end), [b'{', b'"', 0xff, b'"']).unwrap();
        assert_eq!(copy.error().path, copy.file(end));
    }
    let copy = Copy::new();
    fs::write(copy.file("all.block_2"), "{}").unwrap();
    assert_eq!(copy.error().problem, "the block has no user");
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    for end in ["all.block_0", "all.block_2", "index.hand", "item"] {
        let copy = Copy::new();
        let whole = fs::read(copy.file(end)).unwrap();
        for length in 0..whole.trim_ascii_end().len() {
            fs::write(copy.file(end), &whole[..length]).unwrap();
            assert_eq!(copy.error().path, copy.file(end), "cut off after {length} bytes");
        }
    }
}

#[test]
fn a_spoilt_byte_is_refused_or_read_as_other_data() {
    let original = load(Path::new("tiny_release")).unwrap().hash;
    for end in ["all.block_1", "index.hand", "item"] {
        let copy = Copy::new();
        let whole = fs::read(copy.file(end)).unwrap();
        let mut refused = 0;
        for at in 0..whole.len() {
            for byte in [b'7', b'"', b'[', 0xff] {
                let mut spoilt = whole.clone();
                spoilt[at] = byte;
                fs::write(copy.file(end), spoilt).unwrap();
                match load(copy.0.path()) {
                    // A file in which an item has another name may make another one the faulty one.
                    Err(error) => refused += usize::from(error.path.starts_with(copy.0.path())),
                    Ok(dataset) => assert_eq!(dataset.hash.len(), original.len()),
                }
            }
        }
        assert!(refused > whole.len(), "{end}: {refused} of {} refused", whole.len() * 4);
    }
}

#[test]
fn an_index_is_written_as_it_is_read() {
    let dataset = load(Path::new("tiny_release")).unwrap();
    let copy = Copy::new();
    let mut text = Vec::new();
    dataset.index.write(dataset.items.iter().map(|item| item.id.as_str()), &mut text).unwrap();
    fs::write(copy.file("index.hand"), text).unwrap();
    assert_eq!(load(copy.0.path()).unwrap(), dataset);
}

/// Mean of a metric over the stages from 2 on.
fn later_mean(dataset: &Dataset, metric: &str, fit: &dyn Fn(usize) -> Box<dyn CountingBaseline>) -> f64 {
    let cells = 1..dataset.stages.len();
    let count = cells.len() as f64;
    let cell = |stage: usize| baseline::evaluate(fit(stage).as_ref(), &dataset.stages[stage].sequences, 10);
    cells.map(|stage| aggregate(&cell(stage), &[5, 10])[metric]).sum::<f64>() / count
}

#[test]
fn generated_sequences_can_be_learned_from() {
    let source = DatasetSource::Synthetic(SyntheticOptions::default());
    let dataset = Dataset::load(&source, None, Path::new(".")).unwrap();
    let options = ChosenOptions::of(&dataset).options;
    let popularity = later_mean(&dataset, "hit@10", &|stage| Box::new(Popularity::fit(&dataset, stage)));
    let co_occurrence = later_mean(&dataset, "hit@10", &|stage| Box::new(CoOccurrence::fit(&dataset, stage, options)));
    let chance = 10.0 / dataset.items.len() as f64;
    assert!(popularity > 1.5 * chance, "{popularity}");
    assert!(co_occurrence > 2.0 * popularity, "{co_occurrence} against {popularity}");
}

#[allow(clippy::fn_params_excessive_bools, reason = "two independent conditions of one measurement")]
/// Mean likeness of what a user chooses in a stage to the taste, turned by `stage` or not, over drifting or lasting users.
fn likeness(dataset: &Dataset, truth: &Truth, stage: usize, drifting: bool, turned: bool) -> f64 {
    let dot = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
    let (sine, cosine) = truth.angles[stage].sin_cos();
    let mut likenesses = Vec::new();
    for sequence in &dataset.stages[stage].sequences {
        if truth.drifting_users.contains(&sequence.user) != drifting {
            continue;
        }
        let mut taste = truth.tastes[sequence.user as usize].clone();
        for [first, second] in truth.planes.iter().filter(|_| turned) {
            let (x, y) = (dot(&taste, first), dot(&taste, second));
            let (new_x, new_y) = (x * cosine - y * sine, x * sine + y * cosine);
            for ((value, first), second) in taste.iter_mut().zip(first).zip(second) {
                *value += (new_x - x) * first + (new_y - y) * second;
            }
        }
        let chosen = &sequence.items[sequence.current_from..];
        likenesses.extend(chosen.iter().map(|&item| dot(&taste, &truth.item_vectors[item as usize])));
    }
    likenesses.iter().sum::<f64>() / likenesses.len() as f64
}

#[test]
fn the_planted_rotation_is_in_the_choices_of_the_drifting_users_alone() {
    let (dataset, truth) = synthetic::generate(&SyntheticOptions::default()).unwrap();
    for stage in 2..5 {
        let (turned, kept) =
            (likeness(&dataset, &truth, stage, true, true), likeness(&dataset, &truth, stage, true, false));
        assert!(turned > kept + 0.1, "stage {}: {turned} against {kept}", stage + 1);
        let (turned, kept) =
            (likeness(&dataset, &truth, stage, false, true), likeness(&dataset, &truth, stage, false, false));
        assert!(kept > turned + 0.1, "stage {}: {kept} against {turned}", stage + 1);
    }
    let share = truth.drifting_users.len() as f64 / dataset.users.len() as f64;
    assert!((share - 0.5).abs() < 0.06, "{share}");
}

#[test]
fn generated_items_take_the_codes_of_an_index() {
    let source = DatasetSource::Synthetic(SyntheticOptions { users: 60, ..SyntheticOptions::default() });
    let folder = tempfile::tempdir().unwrap();
    let own = Dataset::load(&source, None, folder.path()).unwrap();
    let mut text = Vec::new();
    own.index.write(own.items.iter().map(|item| item.id.as_str()), &mut text).unwrap();
    let index = Path::new("codes.json");
    fs::write(folder.path().join(index), &text).unwrap();
    assert_eq!(Dataset::load(&source, Some(index), folder.path()).unwrap(), own);
    fs::write(folder.path().join(index), r#"{"0": ["<a_1>"]}"#).unwrap();
    let error = Dataset::load(&source, Some(index), folder.path()).unwrap_err();
    let problem = "399 of 400 items have no semantic id, the first `1`";
    assert_eq!((error.problem.as_str(), error.path), (problem, folder.path().join(index)));
}

#[test]
fn a_generator_option_without_meaning_is_named() {
    let source = DatasetSource::Synthetic(SyntheticOptions { codes: 0, ..SyntheticOptions::default() });
    let error = Dataset::load(&source, None, Path::new("here")).unwrap_err();
    assert_eq!(error.place.as_deref(), Some("`dataset: Synthetic`, field `codes`"));
}

/// The folder of the released datasets, which are too large and not ours to ship.
fn released(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os("PESO_DATASETS_DIR").expect("PESO_DATASETS_DIR names the folder")).join(name)
}

#[test]
#[ignore = "needs the released data: PESO_DATASETS_DIR=DIR cargo test -- --ignored released"]
fn released_video_games_have_their_counts() {
    let dataset = load(&released("Video_Games_cl_0.6_0_5_3_0")).unwrap();
    let summary = dataset.summary();
    assert_eq!((summary.items, summary.distinct_ids), (25_935, 25_707));
    let stages: Vec<_> = summary.stages.iter().map(|stage| (stage.users, stage.training_examples)).collect();
    assert_eq!(stages, [(12_447, 66_379), (1_035, 5_421), (1_091, 5_310), (1_949, 10_748), (1_791, 9_689)]);
    assert!(summary.stages.iter().all(|stage| stage.users == stage.test_users));
    let trie = Trie::new(&dataset.index);
    assert_eq!(trie.leaves(), 25_707);
}

#[test]
#[ignore = "needs the released data: PESO_DATASETS_DIR=DIR cargo test -- --ignored released"]
fn released_instruments_lack_block_0_and_have_their_counts() {
    let folder = released("Instruments_cl_ori");
    let error = load(&folder).unwrap_err();
    assert_eq!(error.path, folder.join("Instruments_cl_ori.all.block_0.json"));
    // Its blocks 1 to 4 under the numbers 0 to 3.
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        let renamed = (1..5).fold(name, |name, k| name.replace(&format!("block_{k}"), &format!("block_{}", k - 1)));
        fs::copy(entry.unwrap().path(), copy.path().join(renamed)).unwrap();
    }
    let summary = load(copy.path()).unwrap().summary();
    assert_eq!((summary.items, summary.distinct_ids), (53_509, 53_360));
    let stages: Vec<_> = summary.stages.iter().map(|stage| (stage.users, stage.training_examples)).collect();
    assert_eq!(stages, [(1_772, 9_653), (1_821, 9_692), (2_289, 14_233), (2_238, 13_097)]);
}

#[test]
#[ignore = "needs the released data: PESO_DATASETS_DIR=DIR cargo test -- --ignored released"]
fn released_video_games_give_the_published_baselines() {
    let dataset = load(&released("Video_Games_cl_0.6_0_5_3_0")).unwrap();
    let means = |fit: &dyn Fn(usize) -> Box<dyn CountingBaseline>| {
        let cells: Vec<_> = (1..5)
            .map(|stage| {
                aggregate(&baseline::evaluate(fit(stage).as_ref(), &dataset.stages[stage].sequences, 10), &[5, 10])
            })
            .collect();
        ["hit@5", "hit@10", "ndcg@5", "ndcg@10"].map(|name| cells.iter().map(|cell| cell[name]).sum::<f64>() / 4.0)
    };
    let popularity = means(&|stage| Box::new(Popularity::fit(&dataset, stage)));
    let co_occurrence = means(&|stage| Box::new(CoOccurrence::fit(&dataset, stage, SEARCH.otherwise)));
    for (values, published) in
        [(popularity, [0.0193, 0.0298, 0.0134, 0.0166]), (co_occurrence, [0.0467, 0.0659, 0.0320, 0.0382])]
    {
        for (value, published) in values.into_iter().zip(published) {
            assert!((value - published).abs() < 2e-4, "{values:?} instead of {published}");
        }
    }
}

#[test]
#[ignore = "needs the released data: PESO_DATASETS_DIR=DIR cargo test -- --ignored released"]
fn released_video_games_have_the_next_block_users_and_slices_that_another_program_counts() {
    let dataset = load(&released("Video_Games_cl_0.6_0_5_3_0")).unwrap();
    let counts = |protocol: Protocol, stage: usize| {
        let tests = TestSet::of(&dataset, protocol, stage, UsersPerStage::All);
        let count = |slice| tests.slices.iter().filter(|slices| slices.contains(&slice)).count();
        (tests.left_out, Slice::all().map(count).collect::<Vec<_>>())
    };
    // New, returning, dormant; warm, cold; head, mid, tail; short, medium, long; counted by a script from the files alone.
    let same_block = [
        [806, 229, 0, 704, 331, 231, 224, 580, 558, 372, 105],
        [872, 113, 106, 735, 356, 212, 258, 621, 599, 384, 108],
        [1703, 135, 111, 881, 1068, 247, 306, 1396, 1022, 799, 128],
        [1472, 275, 44, 987, 804, 268, 377, 1146, 947, 716, 128],
    ];
    let next_block = [
        (806, [0, 229, 0, 151, 78, 27, 58, 144, 40, 138, 51]),
        (872, [0, 113, 106, 149, 70, 26, 45, 148, 31, 134, 54]),
        (1703, [0, 135, 111, 136, 110, 19, 34, 193, 33, 157, 56]),
        (1472, [0, 275, 44, 221, 98, 21, 86, 212, 58, 216, 45]),
    ];
    for (stage, (same, (left_out, next))) in (1..).zip(same_block.iter().zip(&next_block)) {
        assert_eq!(counts(Protocol::SameBlock, stage), (0, same.to_vec()), "stage {}", stage + 1);
        assert_eq!(counts(Protocol::NextBlock, stage), (*left_out, next.to_vec()), "stage {}", stage + 1);
    }
}
