//! Files of others as they are found: several as one dataset, JSON of every shape, compression, Parquet's types, pipes, and
//! what is refused with the remedy.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use peso_workbench::data::formats::options::{Columns, Import, ItemTable, TableImport};
use peso_workbench::data::formats::reading::Reading;
use peso_workbench::data::formats::{self, Detected, Format, ImportError, ImportReport};
use peso_workbench::data::interactions::Interactions;
use peso_workbench::data::load;
use peso_workbench::data::prepare::{self, Prepare, StageCuts};
use peso_workbench::data::{DatasetSource, preview};
use peso_workbench::error::InputError;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data");

/// Files of a folder that goes away.
struct World(tempfile::TempDir);

impl World {
    fn of(files: &[(&str, &str)]) -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| drop(world.write(name, text.as_bytes())));
        world
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn read_at(path: &Path) -> Result<(Interactions, ImportReport), InputError> {
    let detected = formats::detect(path)?.ok_or_else(|| formats::unknown(path, None))?;
    let Detected::Interactions(plan) = detected else { panic!("{detected:?}") };
    formats::import(&plan, &mut |_| ControlFlow::Continue(())).map_err(ImportError::into_input_error)
}

fn report(path: &Path) -> ImportReport {
    read_at(path).unwrap_or_else(|error| panic!("{error}")).1
}

fn refused(path: &Path) -> InputError {
    match read_at(path) {
        Err(error) => error,
        Ok((_, report)) => panic!("{report:?}"),
    }
}

fn read_source(source: &DatasetSource) -> Result<Interactions, InputError> {
    let plan = load::plan(source)?.unwrap();
    let read = formats::import(&plan, &mut |_| ControlFlow::Continue(()));
    read.map(|(interactions, _)| interactions).map_err(ImportError::into_input_error)
}

fn said(report: &ImportReport) -> String {
    report.assumptions.iter().map(|assumption| format!("{assumption}\n")).collect()
}

/// User, item and time of each interaction, in file order.
fn rows(interactions: &Interactions) -> Vec<(String, String, i64)> {
    let row = |at: usize| {
        let user = interactions.users.get(interactions.user[at]).to_owned();
        let item = interactions.items.get(interactions.item[at]).to_owned();
        (user, item, interactions.time.get(at).copied().unwrap_or(-1))
    };
    (0..interactions.len()).map(row).collect()
}

/// The lines of a table from one row to another; 30 of them are five users with six items each.
fn lines(rows: std::ops::Range<u32>) -> String {
    rows.map(|i| format!("u{},i{},{}\n", i % 5, i / 5, 1_400_000_000 + i)).collect()
}

const HEADER: &str = "user_id,item_id,timestamp\n";

#[test]
fn parts_of_one_folder_are_one_dataset() {
    let part = |from: u32, to: u32| format!("{HEADER}{}", lines(from..to));
    let world = World::of(&[
        ("out.csv/part-00000-c000.csv", &part(0, 10)),
        ("out.csv/part-00001-c000.csv", &part(10, 20)),
        ("out.csv/part-00010-c000.csv", &part(20, 30)),
        ("out.csv/_SUCCESS", ""),
        ("out.csv/.part-00000-c000.csv.crc", "crc"),
        ("months/events-2019-10.csv", &part(0, 15)),
        ("months/events-2019-11.csv", &part(15, 30)),
        ("months/README.md", "About these data"),
    ]);
    let (interactions, spark) = read_at(&world.path("out.csv")).unwrap();
    assert_eq!((spark.interactions, spark.files.len(), spark.name.as_str()), (30, 3, "out"));
    let times: Vec<i64> = interactions.time.clone();
    assert!(times.is_sorted(), "part-00010 is the last");
    assert!(said(&spark).contains("3 files are read together as one dataset, in this order: part-00000-c000.csv"));
    let months = report(&world.path("months"));
    assert_eq!((months.interactions, months.name.as_str()), (30, "events"));
    assert!(said(&months).contains("Not read: README.md"), "{}", said(&months));
    let pattern = report(&world.path("*/part-*.csv"));
    assert_eq!(pattern.interactions, 30);
    assert_eq!(report(&world.path("out.csv/part-0000*.csv")).interactions, 20);
    assert_eq!(report(&world.path("out.csv/part-00000-c000.csv")).interactions, 10);

    // What the project says of it is read as it was found.
    for path in ["out.csv", "months", "*/part-*.csv"] {
        let source = formats::detect(&world.path(path)).unwrap().unwrap().source();
        assert_eq!(source.path(), Some(world.path(path).as_path()));
        assert_eq!(read_source(&source).unwrap().len(), 30, "{source:?}");
        let shown = preview::Preview::of(&source, world.0.path()).unwrap();
        assert!(shown.files.len() > 1 && shown.rows.unwrap().rows.len() > 2 && shown.problem.is_none());
    }
}

#[test]
fn files_that_are_not_alike_are_not_read_together() {
    let world = World::of(&[
        ("a/events-1.csv", &format!("{HEADER}{}", lines(0..10))),
        ("a/events-2.csv", "item_id,user_id,timestamp\ni1,u1,1400000000\n"),
        ("b/ratings.csv", &format!("{HEADER}{}", lines(0..10))),
        ("b/views-1.csv", &format!("{HEADER}{}", lines(0..10))),
        ("b/views-2.csv", &format!("{HEADER}{}", lines(10..20))),
    ]);
    let error = refused(&world.path("a"));
    assert_eq!(
        error.problem,
        "the file has the columns item_id, user_id, timestamp, and events-1.csv has the columns user_id, item_id, timestamp"
    );
    assert!(error.path.ends_with("events-2.csv"));
    assert_eq!(refused(&world.path("a/*.csv")).problem, error.problem);
    let several = refused(&world.path("b"));
    assert_eq!(several.problem, "several files of interactions: ratings.csv, views-*.csv (2 files)");
    let pattern = world.path("b/views-*.csv");
    assert!(several.advice.unwrap().contains(&format!("peso inspect '{}'", pattern.display())));
    assert_eq!(report(&pattern).interactions, 20);
    assert_eq!(refused(&world.path("b/x*.csv")).problem, "no file has a name of this pattern");
}

#[test]
fn a_split_is_read_together_and_may_be_the_stages() {
    let inter = |rows: &[(u32, u32, u32)]| {
        let lines: String = rows.iter().map(|(u, i, t)| format!("{u}\t{i}\t4\t{t}\n")).collect();
        format!("user_id:token\titem_id:token\trating:float\ttimestamp:float\n{lines}")
    };
    let train: Vec<(u32, u32, u32)> = (0..24).map(|i| (i % 4, i / 4, 1000 + i)).collect();
    let valid: Vec<(u32, u32, u32)> = (0..12).map(|i| (i % 4, 10 + i / 4, 2000 + i)).collect();
    let mut test: Vec<(u32, u32, u32)> = (0..12).map(|i| (i % 4, 20 + i / 4, 3000 + i)).collect();
    test.push(train[0]);
    let world = World::of(&[
        ("ml/ml.test.inter", &inter(&test)),
        ("ml/ml.train.inter", &inter(&train)),
        ("ml/ml.valid.inter", &inter(&valid)),
        ("ml/ml.item", "item_id:token\ttitle:token_seq\n0\tZero\n"),
        (
            "books/All.train.csv",
            "user_id,parent_asin,rating,timestamp,history\nAGKHLEW2SOWHNMFQIJGBECAF7INQ,B000000001,5.0,1600000000000,\n",
        ),
        (
            "books/All.valid.csv",
            "user_id,parent_asin,rating,timestamp,history\nAGKHLEW2SOWHNMFQIJGBECAF7INQ,B000000002,5.0,1600000000001,B000000001\n",
        ),
        (
            "books/All.test.csv",
            "user_id,parent_asin,rating,timestamp,history\nAGKHLEW2SOWHNMFQIJGBECAF7INQ,B000000003,5.0,1600000000002,B000000001 B000000002\n",
        ),
    ]);
    let whole = report(&world.path("ml"));
    assert_eq!((whole.interactions, whole.files.len(), whole.titles), (49, 4, 1));
    assert_eq!(whole.name, "ml");
    let order: Vec<_> = whole.files.iter().map(|file| file.path.file_name().unwrap().to_owned()).collect();
    assert_eq!(order, ["ml.train.inter", "ml.valid.inter", "ml.test.inter", "ml.item"]);
    assert!(said(&whole).contains("1 interactions stand in more than one of the files"), "{}", said(&whole));
    let alone = report(&world.path("ml/ml.train.inter"));
    assert_eq!((alone.interactions, alone.titles), (24, 1));
    assert!(said(&alone).contains("Beside it, and not read: ml.valid.inter, ml.test.inter"), "{}", said(&alone));
    let benchmark = report(&world.path("books"));
    assert_eq!((benchmark.format.key, benchmark.interactions, benchmark.name.as_str()), ("Amazon2023", 3, "All"));

    let stages = |path: &str, core: usize| {
        let prepare = Prepare { core, stages: StageCuts::Files, ..Prepare::default() };
        let source = DatasetSource::Detect(Import { prepare, ..Import::at(world.path(path)) });
        let imported = load::import(&source, world.0.path(), &mut |_| ControlFlow::Continue(()));
        imported
            .map(|imported| imported.prepared.report.stages.iter().map(|stage| stage.interactions).collect::<Vec<_>>())
    };
    assert_eq!(stages("ml", 1).unwrap(), [24, 12, 12], "of what stands in two files, the first is taken");
    // From the cache it is the same.
    assert_eq!(stages("ml", 1).unwrap(), [24, 12, 12]);
    let error = stages("ml/ml.train.inter", 1).unwrap_err().into_input_error();
    assert!(error.problem.contains("come from 1 file"), "{error}");
}

#[test]
fn json_is_read_in_every_shape() {
    let object = |i: u32| {
        format!(
            "{{\"user\": {{\"id\": \"u{}\", \"name\": NaN}}, \"item_id\": {i}, \"meta\": {{\"timestamp\": {}}}}}",
            i % 5,
            1_400_000_000 + i
        )
    };
    let objects: Vec<String> = (0..30).map(object).collect();
    let pretty = objects.join(",\n").replace(", ", ",\n    ");
    let world = World::of(&[
        ("a.ndjson", &objects.join("\n")),
        ("a.log", &format!("\u{feff}{}\r\n", objects.join("\r\n"))),
        ("a.json", &format!("[{}]", objects.join(","))),
        ("pretty.json", &format!("[\n{pretty}\n]\n")),
        ("wrapped.json", &format!("{{\"data\": [{}], \"next\": null}}", objects.join(","))),
        ("several_lines.json", &objects.join("\n").replace(", ", ",\n    ")),
    ]);
    let expected: Vec<(String, String, i64)> =
        (0..30u32).map(|i| (format!("u{}", i % 5), i.to_string(), (1_400_000_000 + i64::from(i)) * 1000)).collect();
    for name in ["a.ndjson", "a.log", "a.json", "pretty.json", "wrapped.json", "several_lines.json"] {
        let (interactions, found) = read_at(&world.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((rows(&interactions), found.skipped.lines), (expected.clone(), 0), "{name}");
        assert_eq!(found.format, Format::TABLE);
        // The line of a project file has the keys, and reads the same.
        let source = formats::detect(&world.path(name)).unwrap().unwrap().source();
        let DatasetSource::Table(table) = &source else { panic!("{source:?}") };
        assert_eq!((table.columns.user.as_str(), table.columns.time.as_deref()), ("user.id", Some("meta.timestamp")));
        assert_eq!(rows(&read_source(&source).unwrap()), expected);
    }
    let cut = world.write("cut.json", format!("[{}", objects.join(",")).as_bytes());
    assert!(refused(&cut).problem.contains("before its brackets are closed"));
    let columns = Columns { user: "user.id".into(), item: "thing".into(), time: None, clock: None, rating: None };
    let table = TableImport {
        path: world.path("a.json"),
        columns,
        header: true,
        separator: None,
        items: None,
        reading: Reading::default(),
        prepare: Prepare::default(),
    };
    let error = read_source(&DatasetSource::Table(table)).unwrap_err();
    assert_eq!(error.problem, "there is no key \"thing\"");
    assert!(error.advice.unwrap().contains("user.id, user.name"));
}

#[test]
fn what_json_does_not_allow_costs_only_the_field_that_has_it() {
    let review = |i: u32, time: &str| {
        format!(
            "{{\"user_id\": \"U{}\", \"parent_asin\": \"B{i}\", \"rating\": 5.0, \"timestamp\": {time}, \"x\": NaN}}\n",
            i % 3
        )
    };
    let reviews: String = (0..9).map(|i| review(i, if i == 4 { "NaN" } else { "1600000000000" })).collect();
    let meta = "{\"parent_asin\": \"B0\", \"title\": \"Half \\ud83d a face\", \"price\": Infinity}\n\
                {\"parent_asin\": \"B1\", \"title\": \"Whole \\ud83d\\ude00\", \"price\": NaN}\n";
    let world = World::of(&[("Pens.jsonl", &reviews), ("meta_Pens.jsonl", meta)]);
    let (interactions, found) = read_at(&world.path("Pens.jsonl")).unwrap();
    assert_eq!((found.interactions, found.titles, found.skipped.lines), (8, 2, 1));
    assert_eq!(found.skipped.problems[0].kind, "the time is missing");
    let title = |id: &str| interactions.texts[interactions.items.find(id).unwrap() as usize].title.clone().unwrap();
    // What `json.loads` of Python gives, with U+FFFD for the half that no text can hold.
    assert_eq!((title("B0"), title("B1")), ("Half \u{fffd} a face".to_owned(), "Whole 😀".to_owned()));
    assert!(said(&found).contains("meta_Pens.jsonl: 1 record with half of a surrogate pair"), "{}", said(&found));
}

#[test]
fn items_of_json_and_a_table_of_parts_go_together() {
    let world = World::of(&[
        ("parts/x-1.csv", &format!("{HEADER}{}", lines(0..15))),
        ("parts/x-2.csv", &format!("{HEADER}{}", lines(15..30))),
        ("items.json", "[{\"id\": \"i1\", \"about\": {\"title\": \"One\"}, \"tags\": [\"a\", \"b\"]}]"),
    ]);
    let (user, item, time) = ("user_id".into(), "#2".into(), Some("timestamp".into()));
    let columns = Columns { user, item, time, clock: None, rating: None };
    let items = ItemTable {
        path: world.path("items.json"),
        id: "id".into(),
        title: Some("about.title".into()),
        description: None,
        categories: Some("tags".into()),
    };
    let prepare = Prepare::default();
    let table = TableImport {
        path: world.path("parts/x-*.csv"),
        columns,
        header: true,
        separator: None,
        items: Some(items),
        reading: Reading::default(),
        prepare,
    };
    let interactions = read_source(&DatasetSource::Table(table)).unwrap();
    let text = &interactions.texts[interactions.items.find("i1").unwrap() as usize];
    assert_eq!((interactions.len(), text.title.as_deref()), (30, Some("One")));
    assert_eq!(text.categories, ["a", "b"]);
}

#[test]
fn compression_is_read_with_what_programs_leave_around_it() {
    let text = format!("{HEADER}{}", lines(0..30));
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let zstandard = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
    // A skippable frame of three bytes, as `pzstd` writes one before each of its frames.
    let skippable = |kind: u8| [&[kind, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let (one, two) = text.split_at(text.len() / 2);
    let world = World::of(&[]);
    for (name, bytes) in [
        ("padded.csv.gz", [gzip(&text), vec![0; 1000]].concat()),
        ("members.csv.gz", [gzip(one), vec![0; 7], gzip(two), vec![0; 200_000]].concat()),
        ("frames.csv.zst", [zstandard(one), zstandard(two)].concat()),
        ("skippable.csv.zst", [skippable(0x50), zstandard(one), skippable(0x5f), zstandard(two)].concat()),
    ] {
        let found = report(&world.write(name, &bytes));
        assert_eq!((found.interactions, found.skipped.lines), (30, 0), "{name}");
        assert!(!said(&found).contains("are not read"), "{name}: {}", said(&found));
    }
    let garbage = report(&world.write("garbage.csv.gz", &[gzip(&text), b"left over".to_vec()].concat()));
    assert_eq!(garbage.interactions, 30);
    assert!(said(&garbage).contains("garbage.csv.gz: bytes behind the end of the gzip data are not read"));
    let whole = gzip(&text);
    let cut = refused(&world.write("cut.csv.gz", &whole[..whole.len() - 3]));
    assert!(cut.problem.contains("cut off"), "{cut}");
    let second = [gzip(one), gzip(two)[..30].to_vec()].concat();
    assert!(refused(&world.write("cut_second.csv.gz", &second)).problem.contains("cut off"));
}

#[test]
fn other_kinds_of_files_are_named_with_the_remedy() {
    let world = World::of(&[]);
    for (name, bytes, problem, remedy) in [
        ("my data.zip", &b"PK\x03\x04\x14\0\0\0\x08\0aaaaaaaaaaaaaaaa\x05\0\0\0a.csv"[..], "a zip archive", "unzip '"),
        ("data.csv.bz2", b"BZh91AY&SYxxxx", "compressed with bzip2", "bunzip2 -k "),
        ("data.csv.xz", b"\xfd7zXZ\0\0\x04", "compressed with xz", "xz -dk "),
        ("page.csv", b"<!DOCTYPE html><html><body>Not Found</body>", "a web page", "fetch the file again"),
        (
            "lfs.csv",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "a pointer of Git LFS",
            "git lfs pull",
        ),
        ("data.pkl", b"\x80\x04\x95\x10\0\0\0\0\0\0\0", "a Python pickle", "read_pickle"),
        ("data.db", b"SQLite format 3\0\x10\0", "an SQLite database", "sqlite3 -header -csv "),
        ("data.mat", b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "a MATLAB file", "scipy.io.loadmat"),
        ("picture.png", b"\x89PNG\r\n\x1a\n....", "a picture (PNG)", "name the file of interactions"),
        ("empty.csv", b"", "the file is empty", "fetch or write it again"),
        (
            "notes.txt",
            b"only words here\nand here\n",
            "the format is not known: it looks like text without columns in UTF-8, whose first line is `only words here`",
            "were expected",
        ),
        (
            "some.bin",
            b"\x00\x01\x02\x03\xff\xfe\x00\x00\x00\x00\x00\x00",
            "the format is not known: it looks like binary data that begins with 00 01 02",
            "were expected",
        ),
    ] {
        let error = refused(&world.write(name, bytes));
        assert!(error.problem.starts_with(problem), "{name}: {error}");
        assert!(error.advice.as_ref().is_some_and(|advice| advice.contains(remedy)), "{name}: {error}");
    }
    // A table whose columns say nothing: the nearest line to try.
    let odd = world.write("odd one.csv", b"alpha,beta,gamma\nx1,y1,z\nx2,y2,z\nx3,y3,z\n");
    let error = refused(&odd);
    assert!(error.problem.contains("a table in UTF-8, whose first line is `alpha,beta,gamma`"), "{error}");
    let advice = error.advice.unwrap();
    assert!(advice.contains("odd one.csv\", columns: (user: \"alpha\", item: \"beta\")"), "{advice}");
    let folder = refused(
        world.write("sub/a.zip", b"PK\x03\x04\x14\0\0\0\x08\0aaaaaaaaaaaaaaaa\x05\0\0\0a.csv").parent().unwrap(),
    );
    assert!(folder.problem.contains("it has a.zip (a zip archive: unpack it with `unzip "), "{folder}");
}

#[test]
fn parquet_of_every_codec_and_type_has_the_values_of_pandas() {
    // The files are written by `python tests/fixtures/data/parquet/make.py`, whose lists these are; `pandas.read_parquet` gives them.
    let at = |i: i64| 5_097_600_123 + i * 86_400_001;
    let folder = Path::new(FIXTURES).join("parquet");
    let expected: Vec<(String, String, i64)> =
        (0..30).map(|i: i64| ((100 + i % 5).to_string(), (500 + i * 7 % 11).to_string(), at(i))).collect();
    let table = |file: &str, user: &str, time: &str, rating: Option<&str>| {
        let (user, item, time) = (user.into(), "item".into(), Some(time.into()));
        let columns = Columns { user, item, time, clock: None, rating: rating.map(Into::into) };
        let (path, prepare) = (folder.join(file), Prepare::default());
        let table = TableImport {
            path,
            columns,
            header: true,
            separator: None,
            items: None,
            reading: Reading::default(),
            prepare,
        };
        read_source(&DatasetSource::Table(table)).unwrap_or_else(|error| panic!("{file}: {error}"))
    };
    for codec in ["brotli", "lz4", "gzip", "zstd", "snappy", "none"] {
        let read = table(&format!("{codec}.parquet"), "user", "time", Some("rating"));
        // Numbers of 1970 are seconds by their size: only a column of times has a unit.
        assert_eq!((read.len(), read.users.len(), read.items.len()), (30, 5, 11), "{codec}");
        assert_eq!(read.rating[..5], [1.0, 2.0, 3.0, 4.0, 5.0], "{codec}");
    }
    assert_eq!(rows(&table("int96.parquet", "user", "time", None)), expected);
    for user in ["user_decimal", "user_large", "user_binary", "user_category", "user_u8", "who.id"] {
        assert_eq!(rows(&table("types.parquet", user, "time_ns", None)), expected, "{user}");
    }
    let first = |user: &str| rows(&table("types.parquet", user, "time_ms", None))[1].0.clone();
    assert_eq!(first("user_u64"), "9223372036854775909");
    assert_eq!(first("user_uuid"), "65656565-6565-6565-6565-656565656565");
    assert_eq!(first("who.at.place"), "1");
    for time in ["time_ms", "time_ms_utc", "time_us", "time_ns", "time_ns_zone"] {
        assert_eq!(rows(&table("types.parquet", "who.id", time, None)), expected, "{time}");
    }
    let cut = |unit: i64| expected.iter().map(|row| row.2 / unit * unit).collect::<Vec<i64>>();
    assert_eq!(table("types.parquet", "user_u8", "time_s", None).time, cut(1000));
    for date in ["date32", "date64"] {
        assert_eq!(table("types.parquet", "user_u8", date, None).time, cut(86_400_000), "{date}");
    }
    let ratings = |name: &str| table("types.parquet", "user_u8", "time_us", Some(name)).rating[..5].to_vec();
    assert_eq!(ratings("rating_f16"), [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(ratings("rating_f32"), [1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(ratings("rating_decimal"), [0.1, 0.2, 0.3, 0.4, 0.5]);
    assert_eq!(ratings("rating_bool"), [0.0, 0.0, 1.0, 1.0, 1.0]);
    let rows =
        formats::FirstRows::of_table(&folder.join("types.parquet"), (None, true, Reading::default()), &[], 2).unwrap();
    let shown = |name: &str| rows.rows[1][rows.columns.iter().position(|column| column == name).unwrap()].clone();
    assert_eq!(
        (shown("who.name"), shown("time_us"), shown("user_decimal")),
        ("user 101".into(), "1970-03-02 00:00:00.124".into(), "101".into())
    );
    assert_eq!(refused(&folder).problem.split(':').next(), Some("several files of interactions"));
}

#[test]
fn every_stage_of_a_plan_keeps_what_it_says() {
    let world = World::of(&[
        ("x/a-1.csv", &format!("{HEADER}{}", lines(0..15))),
        ("x/a-2.csv", &format!("{HEADER}{}", lines(15..30))),
    ]);
    let (interactions, _) = read_at(&world.path("x")).unwrap();
    assert_eq!(interactions.file.iter().copied().collect::<HashSet<u16>>().len(), 2);
    let options = Prepare { core: 1, stages: StageCuts::Files, ..Prepare::default() };
    let prepared = prepare::prepare(&interactions, &options).unwrap();
    assert_eq!(prepared.report.stages.iter().map(|stage| stage.interactions).collect::<Vec<_>>(), [15, 15]);
}

#[cfg(unix)]
#[test]
fn pipes_are_refused_where_data_must_be_read_again_and_devices_always() {
    let world = World::of(&[]);
    let pipe = world.path("events");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(refused(&pipe).problem, "a pipe, which can be read only once");
    assert_eq!(refused(Path::new("/dev/zero")).problem, "a device, not a file");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_inspected_whole() {
    let world = World::of(&[]);
    let pipe = world.path("events");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text: String = (0..20_000u32).map(|i| format!("u{},i{},{}\n", i % 500, i % 700, 1_400_000_000 + i)).collect();
    let writer = pipe.clone();
    let writing = std::thread::spawn(move || fs::write(writer, format!("{HEADER}{text}")).unwrap());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_peso")).arg("inspect").arg(&pipe).output().unwrap();
    writing.join().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("20,000 interactions"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_display_what_works_is_named_and_nothing_else_is_said() {
    for (arguments, project) in [(&[][..], "PROJECT"), (&["my project.ron"], "'my project.ron'")] {
        let world = World::of(&[("my project.ron", "(format: 1)")]);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_peso"));
        command.args(arguments).current_dir(world.0.path());
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XDG_RUNTIME_DIR"] {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with("error: no window can be opened: there is no display"), "{said}");
        assert!(said.contains(&format!("`peso run {project}`")) && !said.contains("XDG"), "{said}");
    }
}
