//! Tables as people have them: what is read right, what is rejected and counted, what is asked, and what is said of it.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use peso_workbench::data::DatasetSource;
use peso_workbench::data::formats::options::{Columns, Import, ItemTable, TableImport};
use peso_workbench::data::formats::reading::{Encoding, Escape, Ids, Reading, TimesAs};
use peso_workbench::data::formats::{self, Format, ImportReport};
use peso_workbench::data::interactions::Interactions;
use peso_workbench::data::load;
use peso_workbench::data::prepare::{self, Prepare, StageCuts};
use peso_workbench::error::InputError;
use tempfile::TempDir;

/// A file of its own.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn read_source(source: &DatasetSource) -> Result<(Interactions, ImportReport), InputError> {
    let plan = load::plan(source)?.unwrap();
    formats::import(&plan, &mut |_| ControlFlow::Continue(())).map_err(formats::ImportError::into_input_error)
}

fn read_as(path: &Path, reading: Reading) -> Result<(Interactions, ImportReport), InputError> {
    read_source(&DatasetSource::Detect(Import { reading, ..Import::at(path) }))
}

fn read(name: &str, content: impl AsRef<[u8]>) -> Result<(Interactions, ImportReport), InputError> {
    let (_folder, path) = file(name, content);
    read_as(&path, Reading::default())
}

/// User, item and time of each interaction.
fn rows(interactions: &Interactions) -> Vec<(&str, &str, i64)> {
    let ids = interactions.user.iter().zip(&interactions.item).enumerate();
    let time = |at: usize| interactions.time.get(at).copied().unwrap_or_default();
    ids.map(|(at, (&user, &item))| (interactions.users.get(user), interactions.items.get(item), time(at))).collect()
}

fn problems(report: &ImportReport) -> Vec<(&str, u64)> {
    report.skipped.problems.iter().map(|problem| (problem.kind.as_str(), problem.lines)).collect()
}

/// Whether one of the lines on what was taken for granted has these words.
#[track_caller]
fn says(report: &ImportReport, words: &str) {
    let lines: Vec<String> = report.assumptions.iter().map(ToString::to_string).collect();
    assert!(lines.iter().any(|line| line.contains(words)), "{words}: {lines:#?}");
}

/// Lines of 4 users and 6 items, of which `line` makes a text.
fn lines(line: impl Fn(usize, usize, usize) -> String) -> String {
    (0..24).map(|at| line(at % 4 + 100, at % 6 + 500, at)).collect()
}

#[test]
fn times_in_many_ways_are_those_of_pandas() {
    // `pandas.to_datetime(column, utc=True)`, with `unit=`, `format=` or `dayfirst=` where the column needs it: 2014-05-13
    // 16:53:20 and, where there is no clock, 2014-05-13.
    let (moment, day) = (1_400_000_000_000, 1_399_939_200_000);
    for (text, time) in [
        ("2014-05-13 16:53:20 UTC", moment),
        ("2014-05-13T18:53:20+02:00", moment),
        ("2014-05-13T16:53:20.000000Z", moment),
        ("5/13/2014 16:53:20", moment),
        ("05/13/2014 04:53:20 PM", moment),
        ("13/05/2014 16:53:20", moment),
        ("13.05.2014", day),
        ("2014/05/13", day),
        ("Tue May 13 16:53:20 +0000 2014", moment),
        ("\"May 13, 2014\"", day),
        ("20140513", day),
        ("20140513165320", moment),
        ("1400000000", moment),
        ("1400000000000", moment),
        ("1400000000000000", moment),
        ("1400000000000000000", moment),
        ("1.4e9", moment),
    ] {
        let table = format!("user_id,item_id,timestamp\n{}", lines(|user, item, _| format!("{user},{item},{text}\n")));
        let (interactions, report) = read("a.csv", table).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((interactions.time[0], interactions.len(), report.skipped.lines), (time, 24, 0), "{text}");
        says(&report, "Times are ");
    }
}

#[test]
fn days_and_times_of_day_in_two_columns_are_one_time() {
    for names in ["date,time", "time,date"] {
        let (first, second) =
            if names.starts_with('d') { ("2014-05-13", "16:53:20") } else { ("16:53:20", "2014-05-13") };
        let lines = lines(|user, item, _| format!("{user},{item},{first},{second}\n"));
        let (interactions, report) = read("a.csv", format!("user_id,item_id,{names}\n{lines}")).unwrap();
        assert_eq!((interactions.time[0], report.skipped.lines), (1_400_000_000_000, 0), "{names}");
        says(&report, "The day is date, the time of day time. If not, write");
    }
}

#[test]
fn day_and_month_that_nothing_tells_apart_are_asked_for() {
    let day = |at: usize| at * 7 % 12 + 1;
    let table = lines(|user, item, at| format!("{user},{item},{:02}/{:02}/2014\n", day(at), day(at + 5)));
    let (_folder, path) = file("a.csv", format!("user_id,item_id,timestamp\n{table}"));
    let error = read_as(&path, Reading::default()).unwrap_err();
    assert!(error.problem.starts_with("the times may have the day or the month first, like `01/"), "{error}");
    let of = |times| read_as(&path, Reading { times: Some(times), ..Reading::default() }).unwrap().0.time[1];
    // Row 1 is 08/07/2014: `pandas.to_datetime("08/07/2014", dayfirst=True)` and without.
    assert_eq!((of(TimesAs::DayFirst), of(TimesAs::MonthFirst)), (1_404_777_600_000, 1_407_369_600_000));
}

#[test]
fn lines_that_are_not_like_the_others_are_counted_and_no_id_is_taken_from_another_column() {
    let table = "user_id,title,item_id,timestamp\n100,Movie,502,1400000002\n100,Movie, The,501,1402592001\n100,502,1405184004\n\
                 101,\"Movie, The\",503,1407776000\n101,Movie,504,1410368003\nuser_id,title,item_id,timestamp\n";
    let (interactions, report) = read("a.csv", table).unwrap();
    let ids: Vec<(&str, &str)> = rows(&interactions).into_iter().map(|(user, item, _)| (user, item)).collect();
    assert_eq!(ids, [("100", "502"), ("101", "503"), ("101", "504")]);
    assert_eq!(problems(&report), [("… columns, 4 were expected", 2), ("the line of names once more", 1)]);
    assert_eq!(report.skipped.examples[0].problem, "5 columns, 4 were expected");
    says(&report, "Columns that are not used: title");
}

#[test]
fn markers_of_missing_ids_are_counted_by_kind_unless_they_are_ids() {
    let markers = ["NA", "NULL", "\\N", "nan", ""];
    let odd: String = markers.iter().map(|marker| format!("{marker},500,1400000000\n")).collect();
    let usual = lines(|user, item, at| format!("{user},{item},{}\n", 1_400_000_000 + at));
    let (_folder, path) = file("a.csv", format!("user_id,item_id,timestamp\n{usual}{odd}"));
    let (interactions, report) = read_as(&path, Reading::default()).unwrap();
    // `pandas.read_csv(path, na_values=["\\N"]).user_id.dropna().nunique()`
    assert_eq!((interactions.users.len(), interactions.len()), (4, 24));
    let kinds: Vec<&str> = problems(&report).iter().map(|(kind, _)| *kind).collect();
    let expected = ["NA", "NULL", "\\N", "nan"].map(|marker| format!("the user is missing ({marker})"));
    assert_eq!((&kinds[..4], kinds[4]), (&expected.each_ref().map(String::as_str)[..], "the user is missing"));
    let written = read_as(&path, Reading { ids: Ids::AsWritten, ..Reading::default() }).unwrap().0;
    assert_eq!((written.users.len(), written.len()), (8, 28));
}

#[test]
fn an_interaction_without_a_rating_is_kept_until_a_least_rating_is_asked_for() {
    for (missing, name) in [("", "a.csv"), ("-", "a.csv"), ("NaN", "a.csv")] {
        let rating = |at: usize| if at.is_multiple_of(2) { missing.to_owned() } else { (at % 5 + 1).to_string() };
        let table = lines(|user, item, at| format!("{user},{item},{},{}\n", rating(at), 1_400_000_000 + at));
        let (interactions, report) = read(name, format!("user_id,item_id,rating,timestamp\n{table}")).unwrap();
        assert_eq!((report.interactions, report.skipped.lines, report.rated), (24, 0, true), "{missing}");
        says(&report, "12 of 24 interactions have no rating and are kept. If not, a `least_rating` leaves them out");
        let options = Prepare { core: 1, deduplicate: false, least_rating: Some(3.0), stages: StageCuts::Equal(1) };
        let steps = prepare::prepare(&interactions, &options).unwrap().report.steps;
        let steps: Vec<(&str, u64)> = steps.iter().map(|step| (step.step.as_str(), step.interactions)).collect();
        // `df.rating.notna().sum()` and `(df.rating >= 3).sum()`
        assert_eq!(steps[..3], [("read", 24), ("rated", 12), ("rating", 7)]);
    }
    let table = lines(|user, item, at| format!("{user},{item},,{}\n", 1_400_000_000 + at));
    let (_, report) = read("a.csv", format!("user_id,item_id,rating,timestamp\n{table}")).unwrap();
    assert_eq!((report.interactions, report.rated), (24, false));
    let table = lines(|user, item, _| format!("{user};{item};4,5\n"));
    let (interactions, report) = read("a.csv", format!("user_id;item_id;rating\n{table}")).unwrap();
    assert_eq!(interactions.rating[0], 4.5);
    says(&report, "Ratings have decimal commas");
}

#[test]
fn without_names_values_tell_ratings_from_times_or_nothing_is_read() {
    let triples = lines(|user, item, at| format!("{user},{item},{}\n", at % 5 + 1));
    let (interactions, report) = read("a.csv", &triples).unwrap();
    assert_eq!((interactions.time.len(), interactions.rating[4], report.rated), (0, 5.0, true));
    says(
        &report,
        "No line names the columns; by their values, user is #1, item is #2, rating is #3. If not, write others",
    );
    says(&report, "There are no times");
    // The same between tabs and blanks, and behind comments.
    for between in ["\t", " ", "  "] {
        let text = format!("% of a network\n% two lines\n{}", triples.replace(',', between));
        let (other, report) = read("out.net", text).unwrap();
        assert_eq!(other, Interactions { name: "out".to_owned(), ..interactions.clone() }, "{between:?}");
        says(&report, "The first lines are comments and passed over: 2 that begin with %");
    }
    let plays = lines(|user, item, at| format!("{user},{item},{}\n", at * at * 37 + 11));
    let (_folder, path) = file("plays.csv", plays);
    let error = read_as(&path, Reading::default()).unwrap_err();
    assert!(error.problem.contains("#1 (100, 101, 102 …); #2 (500, 501, 502 …); #3 (11, 48, 159 …)"), "{error}");
    let line = format!(
        "`dataset: Table(path: {:?}, header: false, columns: (user: \"#1\", item: \"#2\"))`",
        path.display().to_string()
    );
    assert!(error.advice.as_ref().unwrap().contains(&line), "{error}");
    // That line reads it.
    let columns = Columns { user: "#1".into(), item: "#2".into(), time: None, clock: None, rating: None };
    let (reading, prepare) = (Reading::default(), Prepare::default());
    let table = TableImport { path, columns, header: false, separator: None, items: None, reading, prepare };
    assert_eq!(read_source(&DatasetSource::Table(table)).unwrap().1.interactions, 24);
}

#[test]
fn encodings_line_ends_and_first_lines_of_excel_are_understood() {
    let text = format!(
        "user_id\titem_id\ttimestamp\n{}",
        lines(|user, item, at| format!("é{user}\t{item}\t{}\n", 1_400_000_000 + at))
    );
    let plain = read("a.txt", &text).unwrap().0;
    assert_eq!(plain.users.get(0), "é100");
    let wide = |bytes: fn(u16) -> [u8; 2], mark: &[u8]| {
        let units = text.encode_utf16().flat_map(bytes);
        mark.iter().copied().chain(units).collect::<Vec<u8>>()
    };
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    for (bytes, words) in [
        (wide(u16::to_le_bytes, b"\xff\xfe"), "The file is UTF-16"),
        (wide(u16::to_be_bytes, b"\xfe\xff"), "The file is UTF-16"),
        (wide(u16::to_le_bytes, b""), "The file is UTF-16"),
        (text.replace('\n', "\r").into_bytes(), "lines end with a carriage return alone"),
        (
            latin.clone(),
            "24 records have ids that are not UTF-8, read as ISO-8859-1. If not, write `reading: (encoding: Utf8)`",
        ),
    ] {
        let (interactions, report) = read("a.txt", bytes).unwrap_or_else(|error| panic!("{words}: {error}"));
        assert_eq!(interactions, plain, "{words}");
        says(&report, words);
    }
    assert_eq!(read("a.txt", format!("\u{feff}{text}")).unwrap().0, plain);
    let excel = format!("sep=;\r\n{}", text.replace('\t', ";"));
    assert_eq!(read("a.txt", excel).unwrap().0, plain);
    let (_folder, path) = file("a.txt", latin);
    let read_in = |encoding| read_as(&path, Reading { encoding: Some(encoding), ..Reading::default() });
    assert_eq!(read_in(Encoding::Latin1).unwrap().0, plain);
    let error = read_in(Encoding::Utf8).unwrap_err();
    assert!(
        error.problem.starts_with("24 of 24 records cannot be read; the first: a text that is not UTF-8"),
        "{error}"
    );
}

#[test]
fn numbers_of_rows_quotes_between_tabs_and_thousands_of_comments_are_no_trouble() {
    let usual = lines(|user, item, at| format!("{user},{item},{}\n", 1_400_000_000 + at));
    let plain = read("a.csv", format!("user_id,item_id,timestamp\n{usual}")).unwrap().0;
    // `df.to_csv(path)` and R's `write.table(df, path)`: a first column without a name, or without a place among the names.
    let numbered: String = usual.lines().enumerate().map(|(at, line)| format!("{at},{line}\n")).collect();
    let (interactions, report) = read("a.csv", format!("user_id,item_id,timestamp\n{numbered}")).unwrap();
    assert_eq!(interactions, plain);
    says(&report, "the first, without a name, numbers the rows and is not used");
    assert_eq!(read("a.csv", format!(",user_id,item_id,timestamp\n{numbered}")).unwrap().0, plain);
    let trailing: String = usual.lines().map(|line| format!("{line},\n")).collect();
    assert_eq!(read("a.csv", format!("user_id,item_id,timestamp\n{trailing}")).unwrap().0, plain);
    let quote = |line: &str| format!("\"{}\"\n", line.replace(',', "\"\t\""));
    let quoted: String = ["user_id,item_id,timestamp"].into_iter().chain(usual.lines()).map(quote).collect();
    let (interactions, report) = read("a.csv", quoted).unwrap();
    assert_eq!(interactions, plain);
    says(&report, "quotes around columns are taken off");
    let comments = "# a comment that says nothing at all\n".repeat(5000);
    let (interactions, report) = read("a.csv", format!("{comments}#user_id,item_id,timestamp\n{usual}")).unwrap();
    assert_eq!(interactions, plain, "the last comment has the names");
    says(&report, "5001 that begin with #");
}

#[test]
fn a_quote_that_nothing_closes_does_not_swallow_what_follows() {
    let mut text = format!(
        "user_id,item_id,timestamp\n{}",
        lines(|user, item, at| format!("{user},{item},{}\n", 1_400_000_000 + at))
    );
    text.insert_str(text.find("101,501").unwrap(), "101,\"501,1400000000\n");
    let (interactions, report) = read("a.csv", text).unwrap();
    assert_eq!(interactions.len(), 24);
    assert_eq!(problems(&report), [("a quote that nothing closes", 1)]);
    assert_eq!(report.skipped.examples[0].line, 3);
}

/// A table of interactions with one of items.
fn with_items(
    folder: &Path,
    interactions: &str,
    items: &str,
    reading: Reading,
) -> Result<(Interactions, ImportReport), InputError> {
    let path = folder.join("t.csv");
    fs::write(&path, interactions).unwrap();
    fs::write(folder.join("items.csv"), items).unwrap();
    let columns = Columns {
        user: "user_id".into(),
        item: "item_id".into(),
        time: Some("timestamp".into()),
        clock: None,
        rating: None,
    };
    let title = Some("title".into());
    let items =
        ItemTable { path: folder.join("items.csv"), id: "item_id".into(), title, description: None, categories: None };
    let prepare = Prepare::default();
    let table = TableImport { path, columns, header: true, separator: None, items: Some(items), reading, prepare };
    read_source(&DatasetSource::Table(table))
}

#[test]
fn items_that_match_little_are_told_and_those_that_match_nothing_refused() {
    let folder = tempfile::tempdir().unwrap();
    let usual = lines(|user, item, at| format!("{user},{item}.0,{}\n", 1_400_000_000 + at));
    let interactions = format!("user_id,item_id,timestamp\n{usual},,\n");
    let with = |items: &str| with_items(folder.path(), &interactions, items, Reading::default());
    let (read, report) = with("item_id,title\n500,One\n501,Two\n").unwrap();
    // `df.item_id.astype("Int64")`
    assert_eq!((read.items.get(0), read.texts[1].title.as_deref()), ("500", Some("Two")));
    says(&report, "The ids of items are whole numbers written with a fraction: 500.0 is 500");
    says(&report, "items.csv says something of 2 of 6 items");
    let error = with("item_id,title\nB500,One\nB501,Two\n").unwrap_err();
    assert_eq!(error.problem, "none of its 2 items is among the interactions");
    assert!(error.advice.unwrap().contains("its ids are like `B500`, those of the interactions like `500`"));
    // A file of items that nobody named is said to be there.
    let path = folder.path().join("t.csv");
    let (_, report) = read_as(&path, Reading::default()).unwrap();
    says(
        &report,
        "The file items.csv beside it is not read. If not, write `items: (path: \"items.csv\", id: \"item_id\", title: \"title\")`",
    );
    assert_eq!(report.format, Format::TABLE);
}

#[test]
fn quotes_within_quotes_are_doubled_or_behind_a_backslash_as_the_file_tells() {
    let folder = tempfile::tempdir().unwrap();
    let interactions = format!(
        "user_id,item_id,timestamp\n{}",
        lines(|user, item, at| format!("{user},{item},{}\n", 1_400_000_000 + at))
    );
    let titles = |items: &str, escape| {
        let reading = Reading { escape, ..Reading::default() };
        let (read, report) = with_items(folder.path(), &interactions, items, reading).unwrap();
        let titles: Vec<Option<String>> = read.texts.into_iter().map(|text| text.title).collect();
        (titles, report)
    };
    // `pandas.read_csv(path, escapechar="\\")`, and without for the other.
    let spark: String = (500..506).map(|item| format!("{item},\"The \\\"Best\\\", no {item}\"\n")).collect();
    let doubled = spark.replace("\\\"", "\"\"");
    for (text, escape) in [(&spark, None), (&spark, Some(Escape::Backslash)), (&doubled, None)] {
        let (found, report) = titles(&format!("item_id,title\n{text}"), escape);
        assert_eq!(found[0].as_deref(), Some("The \"Best\", no 500"));
        assert_eq!(report.skipped.lines, 0);
    }
    let (found, report) = titles(&format!("item_id,title\n{spark}"), Some(Escape::Doubled));
    assert!(found.iter().all(Option::is_none));
    assert_eq!(report.skipped.lines, 6);
    assert!(report.skipped.examples[0].problem.contains("`reading: (escape: Backslash)`"));
}
