//! Interactions of every format: counts, traps, what is refused, and what is done with them.
//!
//! The fixtures are one small world, written in each format; expected counts are those of pandas (`drop_duplicates` after a
//! stable sort by time, `groupby().transform("size")` until nothing changes, `iloc` for the stages).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use peso_workbench::data::formats::options::{Columns, Import, ItemTable, TableImport};
use peso_workbench::data::formats::reading::Reading;
use peso_workbench::data::formats::{self, Detected, FirstRows, Format, ImportError, ImportReport, SourceFields};
use peso_workbench::data::interactions::{Interactions, ItemText};
use peso_workbench::data::load::{self, Imported};
use peso_workbench::data::prepare::{self, Prepare, StageCuts};
use peso_workbench::data::{Dataset, DatasetSource, Prepared, Protocol};
use peso_workbench::error::InputError;
use peso_workbench::project::Project;
use peso_workbench::semantic_id::SemanticIndex;
use proptest::prelude::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data");

fn fixture(path: &str) -> PathBuf {
    Path::new(FIXTURES).join(path)
}

fn format(key: &str) -> Format {
    Format::of_key(key).unwrap_or_else(|| panic!("no format {key}"))
}

/// What is at a path, imported without a cache.
fn read(path: &Path) -> Result<(Interactions, ImportReport), ImportError> {
    let detected = formats::detect(path)?.ok_or_else(|| InputError::new(path, "nothing is known of it"))?;
    let Detected::Interactions(plan) = detected else { panic!("{detected:?}") };
    formats::import(&plan, &mut |_| ControlFlow::Continue(()))
}

fn report(path: &str) -> ImportReport {
    read(&fixture(path)).unwrap().1
}

/// Imports a source, with the cache in a folder that goes away.
fn import(source: &DatasetSource) -> Result<Imported, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    load::import(source, folder.path(), &mut |_| ControlFlow::Continue(()))
}

fn refused(source: &DatasetSource) -> InputError {
    match import(source) {
        Err(ImportError::Input(unusable)) => unusable,
        other => panic!("{other:?}"),
    }
}

/// The dataset of prepared items under ids that are made of their places.
fn with_some_ids(prepared: Prepared) -> Dataset {
    let codes: Vec<u32> = (0..prepared.catalogue.items.len() as u32).flat_map(|item| [item % 7, item / 7]).collect();
    prepared.with_ids(SemanticIndex::from_numbers(2, &codes))
}

#[test]
fn every_format_is_told_from_its_content_and_read_whole() {
    let seconds_2014 = Some((1_200_259_200_000, 1_208_726_400_000));
    let recbole = Some((880_010_800_000, 880_363_600_000));
    let milliseconds = Some((1_600_259_200_000, 1_608_726_400_003));
    for (path, format, titles, skipped, period) in [
        ("amazon_2014", format("Amazon2014"), 11, 4, seconds_2014),
        ("amazon_2014/ratings/ratings_Tiny_Things.csv", format("Amazon2014"), 0, 0, seconds_2014),
        ("amazon_2018", format("Amazon2018"), 12, 0, seconds_2014),
        ("amazon_2018/ratings/Tiny_Things.csv", format("Amazon2018"), 0, 0, seconds_2014),
        ("amazon_2023", format("Amazon2023"), 12, 0, milliseconds),
        ("amazon_2023/ratings/with_header.csv", format("Amazon2023"), 0, 0, milliseconds),
        ("amazon_2023/ratings/without_header.csv", format("Amazon2023"), 0, 0, milliseconds),
        ("recbole", format("RecBole"), 12, 3, recbole),
        ("movielens_100k", format("MovieLens"), 12, 0, recbole),
        ("movielens_1m", format("MovieLens"), 12, 0, recbole),
        ("movielens_20m", format("MovieLens"), 12, 0, recbole),
        ("yelp", format("Yelp"), 12, 0, Some((1_500_010_800_000, 1_500_363_600_000))),
        ("table/plain.tsv", Format::TABLE, 0, 0, recbole),
        ("table/strings.parquet", Format::TABLE, 0, 0, recbole),
        ("table/integers.parquet", Format::TABLE, 0, 0, recbole),
    ] {
        let report = report(path);
        assert_eq!(report.format, format, "{path}");
        assert_eq!((report.interactions, report.users, report.items), (81, 14, 12), "{path}");
        assert_eq!((report.titles, report.skipped.lines), (titles, skipped), "{path}: {:?}", report.skipped);
        assert_eq!((report.period, report.rated), (period, true), "{path}");
    }
    for (path, files) in [("lc_rec", 2), ("lc_rec/split", 3)] {
        let report = report(path);
        assert_eq!((report.format, report.files.len()), (format("LcRec"), files), "{path}");
        assert_eq!((report.interactions, report.users, report.items), (78, 14, 12), "{path}");
        assert_eq!((report.period, report.rated), (None, false), "{path}");
        assert!(report.assumptions.iter().any(|said| said.assumed.contains("There are no times")), "{report:?}");
    }
    assert!(matches!(formats::detect(&fixture("tiny_release")).unwrap(), Some(Detected::Release(_))));
}

#[test]
fn sequences_are_the_same_whole_and_in_parts() {
    let histories = |path: &str| {
        let (interactions, _) = read(&fixture(path)).unwrap();
        let mut histories: HashMap<String, Vec<String>> = HashMap::new();
        for (&user, &item) in interactions.user.iter().zip(&interactions.item) {
            let history = histories.entry(interactions.users.get(user).to_owned()).or_default();
            history.push(interactions.items.get(item).to_owned());
        }
        histories
    };
    let whole = histories("lc_rec");
    assert_eq!(whole["0"], ["8", "10", "1", "5", "7", "0", "3"]);
    assert_eq!(histories("lc_rec/split"), whole);
}

#[test]
fn rejected_lines_are_named() {
    let lines = |path: &str| {
        let examples = report(path).skipped.examples;
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        examples.into_iter().map(|example| (name(&example.path), example.line, example.problem)).collect::<Vec<_>>()
    };
    let reviews = "reviews_Tiny_Things_5.json.gz".to_owned();
    let found = lines("amazon_2014");
    assert_eq!(found[0], (reviews.clone(), 5, "the time is missing".to_owned()));
    assert_eq!(found[1], (reviews.clone(), 10, "the item is missing".to_owned()));
    assert_eq!((&found[2].0, found[2].1), (&reviews, 84));
    let meta =
        ("meta_Tiny_Things.json.gz".to_owned(), 14, "a string without end, or with an unknown escape".to_owned());
    assert_eq!(found[3], meta);
    let inter = "tiny.inter".to_owned();
    assert_eq!(
        lines("recbole"),
        [
            (inter.clone(), 8, "2 columns, 4 were expected".to_owned()),
            (inter.clone(), 14, "the item is missing".to_owned()),
            (inter, 22, "the rating is `five`, which is not a number".to_owned()),
        ]
    );
}

#[test]
fn swapped_columns_of_amazon_are_found_or_asked_for() {
    let named = |key: &str, path: &str| DatasetSource::Interactions(format(key), Import::at(fixture(path)));
    let error = refused(&named("Amazon2014", "amazon_2018/ratings/Tiny_Things.csv"));
    assert_eq!(error.problem, "the columns are in another order than in Amazon 2014");
    assert!(error.advice.unwrap().contains("those of 2018 the item before the user"));
    let error = refused(&named("Amazon2018", "amazon_2014/ratings/ratings_Tiny_Things.csv"));
    assert_eq!(error.problem, "the columns are in another order than in Amazon 2018");

    // Ids that tell nothing: what is named decides.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ratings.csv");
    let text: String =
        (0..12).map(|i| format!("unclear{}0,unclear{}1,4.0,{}\n", i % 3, i % 4, 1_300_000_000 + i)).collect();
    fs::write(&path, text).unwrap();
    let counts = |key: &str| {
        let import = Import { prepare: Prepare { core: 1, ..Prepare::default() }, ..Import::at(&path) };
        let report = load::import(&DatasetSource::Interactions(format(key), import), folder.path(), &mut |_| {
            ControlFlow::Continue(())
        })
        .unwrap()
        .report;
        (report.users, report.items)
    };
    assert_eq!(counts("Amazon2014"), (3, 4));
    assert_eq!(counts("Amazon2018"), (4, 3));
    // Without a name it is a table of four columns.
    assert_eq!(read(&path).unwrap().1.format, Format::TABLE);
}

#[test]
fn a_named_format_must_fit() {
    let error = refused(&DatasetSource::Interactions(format("Yelp"), Import::at(fixture("recbole/tiny.inter"))));
    assert_eq!(error.problem, "not a file of interactions in the format Yelp");
    assert_eq!(error.advice.as_deref(), Some("it looks like RecBole"));
    let error = formats::detect(&fixture("recbole/tiny.item")).unwrap_err();
    assert_eq!(error.problem, "a file of items (RecBole), not of interactions");
    let error = refused(&DatasetSource::Detect(Import::at(fixture("table"))));
    assert!(error.problem.starts_with("several files of interactions: "), "{error}");
    let error = refused(&DatasetSource::Detect(Import::at(fixture("nowhere"))));
    assert!(error.problem.starts_with("cannot open"), "{error}");
    assert_eq!(formats::detect(&fixture("tiny_release/Tiny_cl.index.hand.json")).unwrap(), None);
}

/// Texts of an item by its id.
fn text_of(path: &str, id: &str) -> ItemText {
    let (interactions, _) = read(&fixture(path)).unwrap();
    interactions.texts[interactions.items.find(id).unwrap() as usize].clone()
}

#[test]
fn titles_categories_and_descriptions_survive_their_encodings() {
    for (path, id, title, categories, description) in [
        // Python dicts, with escapes and without; a category lists its path.
        (
            "amazon_2014",
            "B00000XY00",
            "Café Müller",
            vec!["Home", "Kitchen", "Toys", "Games"],
            Some("It's item 0\n— nice"),
        ),
        (
            "amazon_2014",
            "0307141985",
            "Émile's kettle",
            vec!["Home", "Kitchen", "Toys", "Games"],
            Some("It's item 3\n— nice"),
        ),
        ("amazon_2018", "B00001XY01", "It's \"Blue\" & Co", vec!["Toys", "Games"], Some("It is item 1")),
        ("amazon_2023", "B00006XY06", "Chess, a game", vec!["Home", "Kitchen"], Some("It is item 6")),
        ("recbole", "41", "Red: the story", vec!["Toys", "Games"], None),
        // ISO-8859-1
        ("movielens_100k", "1", "Café Müller (1995)", vec!["unknown", "Crime", "Musical", "Western"], None),
        ("movielens_1m", "1", "Café Müller (1995)", vec!["Home", "Kitchen"], None),
        ("movielens_1m", "41", "Red: the story (1995)", vec!["Toys", "Games"], None),
        ("movielens_20m", "11", "It's \"Blue\" & Co (1995)", vec!["Toys", "Games"], None),
        ("movielens_20m", "61", "Chess, a game (1995)", vec!["Home", "Kitchen"], None),
        ("yelp", "b-0_Qz", "Café Müller", vec!["Home", "Kitchen"], None),
        ("yelp", "b-2_Qz", "Paper lantern", vec![], None),
        ("lc_rec", "3", "Émile's kettle", vec!["Home", "Kitchen"], Some("d3")),
    ] {
        let text = text_of(path, id);
        assert_eq!(text.title.as_deref(), Some(title), "{path}");
        assert_eq!(
            (text.categories, text.description.as_deref()),
            (categories.into_iter().map(str::to_owned).collect(), description),
            "{path}"
        );
    }
    assert_eq!(text_of("amazon_2014", "B00005XY05").title, None);
    let kettle = text_of("amazon_2018", "B00001XY01");
    assert_eq!(kettle.joined(), "It's \"Blue\" & Co\nToys, Games\nIt is item 1");
}

fn columns(user: &str, item: &str, time: &str, rating: &str) -> Columns {
    let (time, rating) = (Some(time.into()), Some(rating.into()));
    Columns { user: user.into(), item: item.into(), time, clock: None, rating }
}

fn table(path: &str, columns: Columns) -> TableImport {
    let (path, reading, prepare) = (fixture(path), Reading::default(), Prepare::default());
    TableImport { path, columns, header: true, separator: None, items: None, reading, prepare }
}

#[test]
fn a_table_is_read_by_the_columns_that_are_named() {
    // Semicolons, a byte order mark, dates, and a quoted column with line ends.
    let named = table("table/named.csv", columns("who", "what", "when", "how much"));
    let headless = TableImport { header: false, ..table("table/headless.csv", columns("#1", "#2", "#4", "#3")) };
    let plain = table("table/plain.tsv", columns("user_id", "item_id", "timestamp", "rating"));
    let integers = table("table/integers.parquet", columns("user_id", "item_id", "timestamp", "rating"));
    let strings = table("table/strings.parquet", columns("user_id", "item_id", "timestamp", "rating"));
    let hash = |table: TableImport| with_some_ids(import(&DatasetSource::Table(table)).unwrap().prepared).hash;
    let expected = hash(plain);
    for table in [named.clone(), headless, integers.clone(), strings] {
        assert_eq!(hash(table.clone()), expected, "{table:?}");
    }
    let error = refused(&DatasetSource::Table(table("table/named.csv", columns("who", "which", "when", "how much"))));
    assert_eq!(error.problem, "there is no column \"which\"");
    assert_eq!(
        error.advice.as_deref(),
        Some("the file has when, who, what, how much, note; `#2` is the second of them")
    );
    let error = refused(&DatasetSource::Table(table(
        "table/integers.parquet",
        columns("user", "item_id", "timestamp", "rating"),
    )));
    assert_eq!(
        error.advice.as_deref(),
        Some("the file has user_id, item_id, rating, timestamp; `#2` is the second of them")
    );

    let items = |path: &str, id: &str, title: &str, categories: &str| ItemTable {
        path: fixture(path),
        id: id.into(),
        title: Some(title.into()),
        description: None,
        categories: Some(categories.into()),
    };
    for items in
        [items("table/items.csv", "id", "name", "kind"), items("table/items.parquet", "item_id", "title", "genres")]
    {
        let source = DatasetSource::Table(TableImport { items: Some(items), ..integers.clone() });
        let catalogue = import(&source).unwrap().prepared.catalogue;
        assert_eq!(catalogue.items[0].title.as_deref(), Some("Café Müller"));
        assert_eq!(catalogue.texts[0].categories, ["Home", "Kitchen"]);
    }
}

#[test]
fn a_project_file_names_every_source() {
    let options = ron::Options::default().with_default_extension(
        ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES | ron::extensions::Extensions::IMPLICIT_SOME,
    );
    let source: DatasetSource = options
        .from_str(
            r#"Amazon2023(path: "a.jsonl.gz", items: "meta.jsonl", prepare: (least_rating: 4, core: 10, stages: Dates(["2019-01-01"])))"#,
        )
        .unwrap();
    let DatasetSource::Interactions(named, Import { path, items, prepare, .. }) = &source else { panic!("{source:?}") };
    assert_eq!(*named, format("Amazon2023"));
    assert_eq!((path.as_path(), items.as_deref()), (Path::new("a.jsonl.gz"), Some(Path::new("meta.jsonl"))));
    assert_eq!((prepare.least_rating, prepare.core, prepare.deduplicate), (Some(4.0), 10, true));
    for text in [
        r#"RecBole(path:"x",prepare:(cores:3))"#,
        r#"Table(path:"x",columns:(user:"a",item:"b",where:"c"))"#,
        r#"MovieLens(file:"x")"#,
    ] {
        assert!(options.from_str::<DatasetSource>(text).is_err(), "{text}");
    }
    // What a path is taken for is what a project file would say of it.
    for (path, line) in [
        ("recbole", r#"RecBole(path:"tiny.inter")"#),
        (
            "table/plain.tsv",
            r#"Table(path:"plain.tsv",columns:(user:"user_id",item:"item_id",time:"timestamp",rating:"rating"))"#,
        ),
        ("amazon_2018/ratings/Tiny_Things.csv", r#"Amazon2018(path:"Tiny_Things.csv")"#),
    ] {
        let source = formats::detect(&fixture(path)).unwrap().unwrap().source();
        let source = source.with_paths(|path| PathBuf::from(path.file_name().unwrap()));
        assert_eq!(options.to_string(&source).unwrap(), line);
        assert_eq!(options.from_str::<DatasetSource>(line).unwrap(), source);
    }
}

#[test]
fn every_format_is_a_source_by_its_name_and_other_names_are_told() {
    let short = ron::Options::default().with_default_extension(
        ron::extensions::Extensions::UNWRAP_VARIANT_NEWTYPES | ron::extensions::Extensions::IMPLICIT_SOME,
    );
    for format in Format::all() {
        let content = match format.fields {
            SourceFields::Interactions | SourceFields::Stages => r#"path:"x""#,
            SourceFields::Table => r#"path:"x",columns:(user:"a",item:"b")"#,
        };
        let line = format!("{}({content})", format.key);
        let source: DatasetSource = short.from_str(&line).unwrap();
        assert_eq!((source.format(), source.path()), (Some(format), Some(Path::new("x"))));
        assert_eq!(short.to_string(&source).unwrap(), line);
        // As RON itself writes a choice with options; that of a folder has its field at once.
        let long = match format.fields {
            SourceFields::Stages => line,
            _ => format!("{}(({content}))", format.key),
        };
        assert_eq!(ron::from_str::<DatasetSource>(&long).unwrap(), source);
        let json = serde_json::to_value(&source).unwrap();
        assert_eq!(json[format.key]["path"], "x");
        assert_eq!(serde_json::from_value::<DatasetSource>(json).unwrap(), source);
        assert_eq!(ron::to_string(&format).unwrap(), format.key);
        assert_eq!(ron::from_str::<Format>(format.key).unwrap(), format);
        assert_eq!(serde_json::from_value::<Format>(format.key.into()).unwrap(), format);
    }
    let refused = |dataset: &str| {
        let text = format!("(\n    format: 1,\n    name: \"x\",\n    dataset: {dataset},\n)");
        Project::parse(&text, Path::new("project.ron")).unwrap_err()
    };
    let error = refused(r#"RecBowl(path: "x")"#);
    assert_eq!(
        (error.problem.as_str(), error.place.as_deref()),
        ("unknown choice `RecBowl`", Some("line 4, column 14, field `dataset`"))
    );
    let advice = error.advice.unwrap();
    assert!(
        ["Synthetic", "Detect", "RecBole", "Amazon2018", "Table", "PesoRelease"]
            .iter()
            .all(|name| advice.contains(name)),
        "{advice}"
    );
    let error = refused(r#"PesoRelease(folder: "x")"#);
    assert_eq!((error.problem.as_str(), error.advice.as_deref()), ("unknown field `folder`", Some("expected `path`")));
    let error = refused(r#"RecBole(file: "x")"#);
    assert_eq!(error.problem, "unknown field `file`");
    assert!(serde_json::from_str::<Format>("\"RecBowl\"").unwrap_err().to_string().contains("`RecBole`"));
}

#[test]
fn every_step_of_the_preparation_equals_pandas() {
    let imported = import(&DatasetSource::Interactions(format("RecBole"), Import::at(fixture("recbole")))).unwrap();
    let report = &imported.prepared.report;
    let steps: Vec<(&str, u64, u64, u64)> =
        report.steps.iter().map(|step| (step.step.as_str(), step.interactions, step.users, step.items)).collect();
    assert_eq!(steps, [("read", 81, 14, 12), ("deduplicated", 78, 14, 12), ("core", 64, 11, 10)]);
    let stages: Vec<(u64, u64, u64, (i64, i64))> = report
        .stages
        .iter()
        .map(|stage| (stage.interactions, stage.users, stage.participants, stage.period.unwrap()))
        .collect();
    assert_eq!(
        stages,
        [
            (38, 11, 10, (880_021_600_000, 880_216_000_000)),
            (6, 4, 1, (880_219_600_000, 880_237_600_000)),
            (7, 5, 0, (880_237_600_000, 880_266_400_000)),
            (6, 6, 0, (880_277_200_000, 880_302_400_000)),
            (7, 5, 0, (880_306_000_000, 880_352_800_000)),
        ]
    );
    assert_eq!(report.timeline.iter().sum::<u64>(), 64);

    let strict = Prepare { least_rating: Some(3.0), core: 3, ..Prepare::default() };
    let source =
        DatasetSource::Interactions(format("RecBole"), Import { prepare: strict, ..Import::at(fixture("recbole")) });
    let last = import(&source).unwrap().prepared.report.steps.pop().unwrap();
    assert_eq!((last.interactions, last.users, last.items), (40, 8, 10));
}

#[test]
fn stages_are_cut_by_shares_number_or_dates() {
    let (interactions, _) = read(&fixture("movielens_100k")).unwrap();
    let sizes = |stages: StageCuts| {
        let options = Prepare { core: 1, stages, ..Prepare::default() };
        prepare::prepare(&interactions, &options)
            .map(|prepared| prepared.report.stages.iter().map(|stage| stage.interactions).collect::<Vec<_>>())
    };
    assert_eq!(sizes(StageCuts::Equal(4)).unwrap(), [19, 20, 19, 20]);
    assert_eq!(sizes(StageCuts::Shares(vec![0.5, 0.3, 0.2])).unwrap(), [39, 23, 16]);
    assert_eq!(sizes(StageCuts::Fractions { base: 1.0, later: 0 }).unwrap(), [78]);
    // 880,150,400 s is 1997-11-21T22:13:20Z; a stage begins with what happens at its date.
    let (cut, all) = (880_150_400_000, interactions.time.len());
    let mut first: Vec<usize> = (0..all).collect();
    first.sort_by_key(|&at| interactions.time[at]);
    let mut seen = HashSet::new();
    first.retain(|&at| seen.insert((interactions.user[at], interactions.item[at])));
    let before = first.iter().filter(|&&at| interactions.time[at] < cut).count() as u64;
    assert_eq!(sizes(StageCuts::Dates(vec!["1997-11-21 22:13:20".into()])).unwrap(), [before, 78 - before]);
    for (stages, problem) in [
        (StageCuts::Dates(vec!["2020-01-01".into()]), "stage 2 has none of the 78 interactions"),
        (StageCuts::Dates(vec!["1997-13-01".into()]), "\"1997-13-01\" is not a date"),
        (StageCuts::Dates(vec!["1998-01-01".into(), "1997-01-01".into()]), "the dates are not ascending"),
        (StageCuts::Shares(vec![0.5, 0.4]), "do not sum to 1"),
        (StageCuts::Fractions { base: 0.0, later: 4 }, "the share of stage 1"),
        (StageCuts::Fractions { base: 0.6, later: 0 }, "does not fit the share"),
        (StageCuts::Equal(0), "not from 1 to 100 stages"),
        (StageCuts::Equal(90), "has none of the 78 interactions"),
    ] {
        let error = sizes(stages).unwrap_err();
        assert!(error.field == "stages" && error.problem.contains(problem), "{error}");
    }
}

#[test]
fn without_times_only_the_order_of_each_user_can_be_cut() {
    let source =
        |prepare| DatasetSource::Interactions(format("LcRec"), Import { prepare, ..Import::at(fixture("lc_rec")) });
    let error = refused(&source(Prepare::default()));
    assert!(error.problem.contains("have no times") && error.place.unwrap().contains("prepare.stages"));
    let by_order = Prepare { core: 1, stages: StageCuts::ByOrder { base: 0.6, later: 2 }, ..Prepare::default() };
    let imported = import(&source(by_order.clone())).unwrap();
    assert!(imported.own_index.is_some());
    // Seven items of the first user: 4.2, 5.6 and 7 are 4, 5 and 7.
    let own: Vec<usize> = imported.prepared.stages.iter().map(|stage| stage.sequences[0].items.len()).collect();
    assert_eq!((imported.prepared.users[0].as_str(), own), ("0", vec![4, 5, 7]));
    // The index beside it is its own.
    let folder = tempfile::tempdir().unwrap();
    let dataset = Dataset::load(&source(by_order), None, folder.path()).unwrap();
    assert_eq!(dataset.index.levels, 4);
    let rated = Prepare { least_rating: Some(3.0), ..Prepare::default() };
    assert_eq!(refused(&source(rated)).problem, "the interactions have no ratings");
}

#[test]
fn items_without_ids_say_what_to_do_and_an_index_gives_them() {
    let folder = tempfile::tempdir().unwrap();
    let source = DatasetSource::Interactions(format("MovieLens"), Import::at(fixture("movielens_1m")));
    let error = Dataset::load(&source, None, folder.path()).unwrap_err();
    assert_eq!(error.problem, "the items have no semantic ids");
    let advice = error.advice.unwrap();
    assert!(advice.contains("Index(\"…\")") && advice.contains("semantic_ids: Train()"), "{advice}");
    let index: Vec<String> = (0..12).map(|i| format!("\"{}\": [\"<a_{}>\", \"<b_{i}>\"]", i * 10 + 1, i % 3)).collect();
    fs::write(folder.path().join("index.json"), format!("{{{}}}", index.join(", "))).unwrap();
    let dataset = Dataset::load(&source, Some(Path::new("index.json")), folder.path()).unwrap();
    assert_eq!((dataset.items.len(), dataset.users.len(), dataset.stages.len()), (10, 11, 5));
    assert_eq!((dataset.name.as_str(), dataset.synthetic), ("MovieLens", false));
    let tests =
        |protocol: Protocol| dataset.stages.iter().map(|stage| protocol.tests(stage).count()).collect::<Vec<_>>();
    // Participants, and users of later stages who did something before.
    assert_eq!(tests(Protocol::SameBlock), [10, 1, 0, 0, 0]);
    assert_eq!(tests(Protocol::NextBlock), [0, 4, 5, 6, 5]);
    fs::write(folder.path().join("index.json"), r#"{"1": ["<a_0>", "<b_0>"]}"#).unwrap();
    let error = Dataset::load(&source, Some(Path::new("index.json")), folder.path()).unwrap_err();
    assert_eq!(error.problem, "9 of 10 items have no semantic id, the first `21`");
}

#[test]
fn compressed_files_read_like_plain_ones() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read(fixture("movielens_1m/ratings.dat")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&text).unwrap();
    let zstandard = zstd::encode_all(text.as_slice(), 1).unwrap();
    let mut two_members = gzip.finish().unwrap();
    let whole = two_members.clone();
    two_members.extend(&whole);
    let read_as = |name: &str, bytes: &[u8]| {
        fs::write(folder.path().join(name), bytes).unwrap();
        read(&folder.path().join(name))
    };
    let plain = read_as("ratings.dat", &text).unwrap().0;
    assert_eq!(read_as("ratings.dat.gz", &whole).unwrap().0, plain);
    assert_eq!(read_as("ratings.dat.zst", &zstandard).unwrap().0, plain);
    // The name does not decide, and a file of several members is read to its end.
    assert_eq!(read_as("ratings", &zstandard).unwrap().0, plain);
    assert_eq!(read_as("twice.gz", &two_members).unwrap().0.len(), 2 * plain.len());
    for (name, bytes) in [("cut.gz", &whole[..whole.len() / 2]), ("cut.zst", &zstandard[..zstandard.len() - 5])] {
        let error = read_as(name, bytes).unwrap_err().into_input_error();
        assert!(error.problem.contains("cut off") || error.problem.contains("damaged"), "{error}");
        assert!(error.path.ends_with(name));
    }
}

#[test]
fn an_import_tells_its_progress_and_ends_when_it_is_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let text: String =
        (0..400_000).map(|i| format!("{},{},{},{}\n", i % 900, i % 700, i % 5, 1_000_000_000 + i)).collect();
    fs::write(folder.path().join("ratings.csv"), text).unwrap();
    let source = DatasetSource::Detect(Import::at("ratings.csv"));
    let mut seen = Vec::new();
    let imported = load::import(&source, folder.path(), &mut |progress| {
        seen.push((progress.done, progress.total));
        ControlFlow::Continue(())
    });
    assert_eq!(imported.unwrap().report.interactions, 400_000);
    assert!(seen.len() > 8 && seen.is_sorted() && seen.iter().all(|(done, total)| done <= total), "{seen:?}");
    let last = seen.last().unwrap();
    assert!(last.0 * 10 > last.1 * 8, "{last:?}");

    fs::remove_dir_all(folder.path().join(".peso-cache")).unwrap();
    let mut left = 6;
    let ended = load::import(&source, folder.path(), &mut |_| {
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(ended.unwrap_err(), ImportError::Cancelled);
    assert!(!folder.path().join(".peso-cache").exists());
}

#[test]
fn the_cache_is_used_checked_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture("recbole/tiny.inter"), folder.path().join("tiny.inter")).unwrap();
    fs::copy(fixture("recbole/tiny.item"), folder.path().join("tiny.item")).unwrap();
    let source = DatasetSource::Interactions(format("RecBole"), Import::at("tiny.inter"));
    let load = || load::import(&source, folder.path(), &mut |_| ControlFlow::Continue(())).unwrap();
    let entries = || {
        let entries = fs::read_dir(folder.path().join(".peso-cache")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let first = load();
    let [entry] = &entries()[..] else { panic!("{:?}", entries()) };
    let sound = fs::read(entry).unwrap();
    let written = || fs::metadata(entry).unwrap().modified().unwrap();
    let before = written();
    let second = load();
    assert_eq!((&second.prepared, &second.report), (&first.prepared, &first.report));
    assert_eq!(written(), before, "an entry that is sound is not written again");
    // Whatever stands in its place is found out.
    for at in (0..sound.len()).step_by(7) {
        let mut spoilt = sound.clone();
        spoilt[at] ^= 0x10;
        fs::write(entry, &spoilt).unwrap();
        assert_eq!(load().prepared, first.prepared, "byte {at}");
        fs::write(entry, &sound[..at]).unwrap();
        assert_eq!(load().prepared, first.prepared, "cut at {at}");
    }
    assert_eq!(fs::read(entry).unwrap(), sound);
    // Other content is another entry.
    let text = fs::read_to_string(folder.path().join("tiny.inter")).unwrap();
    fs::write(folder.path().join("tiny.inter"), text + "1\t11\t5\t880000001\n").unwrap();
    assert_eq!(load().report.interactions, first.report.interactions + 1);
    assert_eq!(entries().len(), 2);
}

#[test]
fn the_first_rows_are_shown_with_their_columns() {
    let preview = |path: &str| {
        let Some(Detected::Interactions(plan)) = formats::detect(&fixture(path)).unwrap() else { panic!("{path}") };
        FirstRows::of(&plan, 2).unwrap()
    };
    let recbole = preview("recbole");
    assert_eq!(recbole.columns[1], "item_id:token");
    assert_eq!((recbole.rows.len(), recbole.rows[0].len()), (2, 4));
    let mapping = |preview: &FirstRows| {
        preview.mapping.iter().map(|(role, column)| format!("{role}={column}")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(mapping(&recbole), "user=user_id:token item=item_id:token time=timestamp:float rating=rating:float");
    assert_eq!(mapping(&preview("amazon_2018/ratings/Tiny_Things.csv")), "user=#2 item=#1 time=#4 rating=#3");
    let reviews = preview("amazon_2023");
    assert_eq!(mapping(&reviews), "user=user_id item=parent_asin time=timestamp rating=rating");
    assert!(reviews.rows[0].iter().any(|cell| cell.starts_with("AE")), "{reviews:?}");
    assert_eq!(preview("table/integers.parquet").rows.len(), 2);
    assert_eq!(preview("lc_rec").rows[0][0], "0");
    assert_eq!(preview("movielens_1m").rows[1].len(), 4);
}

/// A small generator for spoiling files; the same numbers in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[test]
fn two_hundred_spoilt_copies_of_each_file_are_refused_or_counted() {
    let folders = [
        "amazon_2014",
        "amazon_2014/ratings",
        "amazon_2018",
        "amazon_2018/ratings",
        "amazon_2023",
        "recbole",
        "movielens_100k",
        "movielens_1m",
        "movielens_20m",
        "yelp",
        "lc_rec",
        "table",
    ];
    let (mut refused, mut counted, mut unnoticed) = (0, 0, 0);
    for folder in folders {
        let mut files: Vec<PathBuf> =
            fs::read_dir(fixture(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.is_file());
        files.sort();
        let copy = tempfile::tempdir().unwrap();
        let place = |file: &Path| copy.path().join(file.file_name().unwrap());
        files.iter().for_each(|file| assert!(fs::copy(file, place(file)).is_ok()));
        for file in &files {
            let sound = fs::read(file).unwrap();
            let mut random = Numbers(sound.len() as u64);
            for round in 0..200 {
                let mut spoilt = sound.clone();
                if round % 2 == 0 {
                    spoilt.truncate(random.below(sound.len()));
                } else {
                    for _ in 0..1 + random.below(4) {
                        spoilt[random.below(sound.len())] ^= 1 << random.below(8);
                    }
                }
                fs::write(place(file), &spoilt).unwrap();
                let path = if folder == "table" { place(file) } else { copy.path().to_path_buf() };
                match read(&path) {
                    Err(ImportError::Input(error)) => {
                        assert!(!error.problem.is_empty() && error.to_string().len() < 2000, "{error}");
                        refused += 1;
                    }
                    Err(ImportError::Cancelled) => panic!("nobody cancelled"),
                    Ok((interactions, report)) => {
                        assert!(interactions.len() as u64 == report.interactions && report.interactions > 0);
                        let columns = [interactions.time.len(), interactions.rating.len(), interactions.item.len()];
                        assert!(columns.iter().all(|&length| length == 0 || length == interactions.len()));
                        if report.skipped.lines > 0 { counted += 1 } else { unnoticed += 1 }
                    }
                }
            }
            fs::write(place(file), &sound).unwrap();
        }
    }
    // Most changes are noticed; one that turns an id into another cannot be.
    assert!(refused > 500 && counted > 500, "{refused} refused, {counted} counted, {unnoticed} unnoticed");
}

/// Rows of user, item, rating and second.
fn rows() -> impl Strategy<Value = Vec<(u8, u8, u8, u16)>> {
    prop::collection::vec((0..9u8, 0..8u8, 1..6u8, 0..300u16), 20..160)
}

/// Interactions of rows, in their order.
fn of_rows(rows: &[(u8, u8, u8, u16)]) -> Interactions {
    let mut interactions = Interactions::default();
    for &(user, item, rating, time) in rows {
        interactions.user.push(interactions.users.number(&format!("u{user}")).unwrap());
        interactions.item.push(interactions.items.number(&item.to_string()).unwrap());
        interactions.rating.push(f32::from(rating));
        interactions.time.push(i64::from(time) * 1000);
    }
    interactions
}

fn cuts() -> impl Strategy<Value = StageCuts> {
    prop_oneof![
        (0.2..0.8, 1..4usize).prop_map(|(base, later)| StageCuts::Fractions { base, later }),
        (1..5usize).prop_map(StageCuts::Equal),
        Just(StageCuts::Shares(vec![0.25, 0.5, 0.25])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn stages_part_the_interactions_in_time_and_no_target_is_in_its_history(rows in rows(), stages in cuts(), core in 1..4usize) {
        let interactions = of_rows(&rows);
        let options = Prepare { core, stages, ..Prepare::default() };
        let Ok(prepared) = prepare::prepare(&interactions, &options) else { return Ok(()) };
        // The earliest time of each pair, which is what de-duplication keeps.
        let mut first: HashMap<(String, String), u16> = HashMap::new();
        for &(user, item, _, time) in &rows {
            let earliest = first.entry((format!("u{user}"), item.to_string())).or_insert(time);
            *earliest = time.min(*earliest);
        }
        let id = |item: u32| prepared.catalogue.items[item as usize].id.clone();
        let (mut total, mut end_of_last) = (0, 0);
        for (stage, report) in prepared.stages.iter().zip(&prepared.report.stages) {
            let (mut begin, mut end, mut count) = (u16::MAX, 0, 0);
            for sequence in &stage.sequences {
                let user = &prepared.users[sequence.user as usize];
                let times: Vec<u16> = sequence.items.iter().map(|&item| first[&(user.clone(), id(item))]).collect();
                prop_assert!(times.is_sorted());
                let current = &times[sequence.current_from..];
                prop_assert!(!current.is_empty());
                begin = begin.min(current[0]);
                end = end.max(current[current.len() - 1]);
                count += current.len() as u64;
                let distinct: HashSet<u32> = sequence.items.iter().copied().collect();
                prop_assert_eq!(distinct.len(), sequence.items.len());
                for protocol in Protocol::ALL {
                    if let Some(test) = protocol.test(sequence) {
                        prop_assert!(!test.history.contains(&test.target));
                    }
                }
            }
            prop_assert!(begin >= end_of_last);
            prop_assert_eq!(count, report.interactions);
            prop_assert_eq!(report.period, Some((i64::from(begin) * 1000, i64::from(end) * 1000)));
            end_of_last = end;
            total += count;
        }
        prop_assert_eq!(total, prepared.report.steps.last().unwrap().interactions);
        prop_assert_eq!(total, prepared.report.timeline.iter().sum::<u64>());
    }

    #[test]
    fn the_core_is_a_fixed_point_and_the_largest(rows in rows(), core in 2..6usize) {
        let interactions = of_rows(&rows);
        let options = Prepare { core, stages: StageCuts::Equal(1), ..Prepare::default() };
        // Reference: remove one user or item after the other, in any order, until none is left to remove.
        let mut pairs: HashSet<(u8, u8)> = rows.iter().map(|row| (row.0, row.1)).collect();
        loop {
            let user = (0..9).find(|&user| (1..core).contains(&pairs.iter().filter(|pair| pair.0 == user).count()));
            let item = (0..8).find(|&item| (1..core).contains(&pairs.iter().filter(|pair| pair.1 == item).count()));
            match (user, item) {
                (Some(user), _) => pairs.retain(|pair| pair.0 != user),
                (None, Some(item)) => pairs.retain(|pair| pair.1 != item),
                (None, None) => break,
            }
        }
        match prepare::prepare(&interactions, &options) {
            Err(error) => prop_assert!(pairs.is_empty() && error.field == "core", "{error}"),
            Ok(prepared) => {
                let sequences = prepared.stages.iter().flat_map(|stage| &stage.sequences);
                let left: HashSet<(u8, u8)> = sequences.flat_map(|sequence| {
                    let user: u8 = prepared.users[sequence.user as usize][1..].parse().unwrap();
                    let catalogue = &prepared.catalogue;
                    sequence.items.iter().map(move |&item| (user, catalogue.items[item as usize].id.parse().unwrap()))
                }).collect();
                prop_assert_eq!(left, pairs);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_same_data_in_another_format_has_the_same_hash(rows in rows()) {
        let folder = tempfile::tempdir().unwrap();
        let at = |time: u16| 1_500_000_000 + u32::from(time);
        let line = |between: &str| -> String {
            rows.iter().map(|(u, i, r, t)| format!("{u}{between}{i}{between}{r}{between}{}\n", at(*t))).collect()
        };
        let objects: String = rows
            .iter()
            .map(|(u, i, r, t)| format!("{{\"user_id\":\"{u}\",\"parent_asin\":\"{i}\",\"rating\":{r}.0,\"timestamp\":{}000}}\n", at(*t)))
            .collect();
        let yelp: String = rows
            .iter()
            .map(|(u, i, r, t)| format!("{{\"user_id\":\"{u}\",\"business_id\":\"{i}\",\"stars\":{r},\"date\":\"{}\"}}\n", at(*t)))
            .collect();
        let files = [
            ("u.data", line("\t")),
            ("ratings.dat", line("::")),
            ("x.inter", format!("user_id:token\titem_id:token\trating:float\ttimestamp:float\n{}", line("\t"))),
            ("ratings.csv", format!("userId,movieId,rating,timestamp\n{}", line(","))),
            ("x.jsonl", objects),
            ("review.json", yelp),
            ("x.csv", line(",")),
        ];
        let prepare = Prepare { core: 1, stages: StageCuts::Equal(2), ..Prepare::default() };
        let mut hashes = HashSet::new();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            let source = DatasetSource::Detect(Import { prepare: prepare.clone(), ..Import::at(path) });
            let prepared = load::import(&source, folder.path(), &mut |_| ControlFlow::Continue(())).unwrap().prepared;
            hashes.insert(with_some_ids(prepared).hash);
        }
        prop_assert_eq!(hashes.len(), 1);
    }
}
