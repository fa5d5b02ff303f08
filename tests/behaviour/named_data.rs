//! Data sets by the names of their files and columns, as they are published: what is an interaction, and how many there are.
//!
//! The fixtures are 24 events of six users with seven items, written in each layout by hand; expected counts are those of pandas
//! (`read_csv` with the separator, header and filter that each case names, `nunique`).

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use peso_workbench::data::formats::options::Import;
use peso_workbench::data::formats::{self, Detected, Format, ImportError, ImportReport};
use peso_workbench::data::interactions::Interactions;
use peso_workbench::data::{DatasetSource, load};
use peso_workbench::error::InputError;

fn fixture(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/data")).join(path)
}

fn read(path: &str) -> (Interactions, ImportReport) {
    let path = fixture(path);
    let detected = formats::detect(&path).unwrap_or_else(|error| panic!("{error}"));
    let Some(Detected::Interactions(plan)) = detected else { panic!("{}: {detected:?}", path.display()) };
    formats::import(&plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|error| panic!("{error}"))
}

/// A data set of which some kinds of events are chosen.
fn with_events(key: &str, path: &str, events: &[&str]) -> Result<ImportReport, InputError> {
    let events = Some(events.iter().map(|&kind| kind.to_owned()).collect());
    let import = Import { events, ..Import::at(fixture(path)) };
    let plan = load::plan(&DatasetSource::Interactions(Format::of_key(key).unwrap(), import))?.unwrap();
    let read = formats::import(&plan, &mut |_| ControlFlow::Continue(()));
    read.map(|(_, report)| report).map_err(ImportError::into_input_error)
}

fn said(report: &ImportReport) -> String {
    report.assumptions.iter().map(|assumption| format!("{assumption}\n")).collect()
}

/// A user's items in the order of their times; in that of the file where there are none.
fn history(interactions: &Interactions, user: &str) -> String {
    let user = interactions.users.find(user).unwrap();
    let mut at: Vec<usize> = (0..interactions.len()).filter(|&at| interactions.user[at] == user).collect();
    at.sort_by_key(|&at| interactions.time.get(at).copied());
    at.iter().map(|&at| interactions.items.get(interactions.item[at])).collect::<Vec<_>>().join(" ")
}

#[test]
fn published_data_sets_are_read_by_their_own_names() {
    const DAY: i64 = 86_400_000;
    let whole = Some((1_570_000_000_000, 1_570_000_000_000 + 23 * DAY));
    // 2019-10-02 to 2019-10-25
    let days = Some((18_171 * DAY, 18_194 * DAY));
    for (path, format, interactions, users, items, titles, period) in [
        ("kuairand", "KuaiRand", 16, 4, 7, 0, Some((1_570_000_000_000 + DAY, 1_570_000_000_000 + 23 * DAY))),
        ("hm", "HM", 24, 6, 7, 7, days),
        ("retailrocket", "Retailrocket", 24, 6, 7, 0, whole),
        ("rees46", "Rees46", 18, 6, 7, 0, whole),
        ("taobao", "Taobao", 24, 6, 7, 0, whole),
        ("gowalla", "Gowalla", 24, 6, 7, 0, whole),
        ("lastfm", "LastFm", 24, 6, 7, 0, whole),
        ("lastfm/hetrec", "LastFm", 24, 6, 7, 7, None),
        ("book_crossing", "BookCrossing", 24, 6, 7, 7, None),
        ("steam", "Steam", 24, 6, 7, 7, days),
        ("recbole_names", "RecBole", 24, 6, 7, 7, None),
        ("recbole_yelp", "RecBole", 24, 6, 7, 7, whole),
    ] {
        let (_, report) = read(path);
        assert_eq!(report.format.key, format, "{path}");
        assert_eq!((report.interactions, report.users, report.items), (interactions, users, items), "{path}");
        assert_eq!((report.titles, report.period, report.skipped.lines), (titles, period, 0), "{path}");
    }
    let (hm, _) = read("hm");
    let top = hm.items.find("0663713001").expect("ids keep their zeros") as usize;
    assert_eq!(hm.texts[top].joined(), "Top 1\nVest top\nA top, with straps.");
    let (books, report) = read("book_crossing");
    assert_eq!(books.texts[0].title.as_deref(), Some("Les Misérables 0"), "ISO-8859-1");
    assert!(report.rated);
    let (lastfm, _) = read("lastfm");
    assert!(lastfm.items.find("Artist 3").is_some());
    let (steam, _) = read("steam");
    assert!(steam.users.find("user \"2\"").is_some());
    assert_eq!(steam.texts[0].categories, ["Action", "Indie"]);
}

#[test]
fn events_of_several_kinds_are_said_and_chosen() {
    let (_, rees) = read("rees46");
    assert!(
        said(&rees).contains("Events of these kinds are interactions: 6 of view, 6 of cart, 6 of purchase; left out: 6 of remove_from_cart"),
        "{}",
        said(&rees)
    );
    assert!(said(&rees).contains("events: [\""));
    let (_, videos) = read("kuairand");
    assert!(said(&videos).contains("16 of 1; left out: 8 of 0"), "{}", said(&videos));
    let count = |key, path, kinds: &[&str]| with_events(key, path, kinds).unwrap().interactions;
    assert_eq!(count("Rees46", "rees46", &["purchase"]), 6);
    assert_eq!(count("Retailrocket", "retailrocket", &["transaction", "addtocart"]), 12);
    assert_eq!(count("Taobao", "taobao", &["buy"]), 6);
    assert_eq!(count("KuaiRand", "kuairand", &["0", "1"]), 24);
    let error = with_events("Taobao", "taobao", &["bought"]).unwrap_err();
    assert_eq!(error.problem, "no kind of events is called \"bought\"");
    assert!(error.advice.unwrap().ends_with("has pv, buy, cart, fav"));
    assert_eq!(with_events("HM", "hm", &["buy"]).unwrap_err().problem, "H&M has no kinds of events");
}

#[test]
fn mind_has_clicks_and_what_was_read_before_once() {
    let (train, report) = read("mind/MINDsmall_train");
    assert_eq!((report.format.key, report.titles), ("Mind", 8));
    // By hand: U1 had read 1 2 3 before its first impression at 8:00, clicked 7 then 4, had read 10 before the third, and clicked 4
    // again; U2 clicked 8 and 9; U3 had read 2.
    assert_eq!(history(&train, "U1"), "N1 N2 N3 N7 N4 N10 N4");
    assert_eq!((history(&train, "U2"), history(&train, "U3")), ("N8 N9".to_owned(), "N2".to_owned()));
    assert_eq!(report.period, Some((1_573_459_200_000, 1_573_736_400_000)));
    let (both, report) = read("mind/*/behaviors.tsv");
    assert_eq!(report.files.iter().filter(|file| file.role == "interactions").count(), 2);
    assert_eq!(history(&both, "U1"), "N1 N2 N3 N7 N4 N10 N4 N11");
    assert_eq!(history(&both, "U4"), "N3 N1 N2");
}

#[test]
fn sequences_with_histories_keep_every_interaction_once() {
    let (tiny, report) = read("minionerec/*/Tiny_5.csv");
    // Five users with seven items each, cut to three before each; by the script that made them.
    assert_eq!((report.format.key, report.interactions, report.users, report.items), ("MiniOneRec", 35, 5, 17));
    assert_eq!(history(&tiny, "A0"), "0 5 10 15 3 8 13");
    assert_eq!(history(&tiny, "A4"), "12 0 5 10 15 3 8");
    assert_eq!(report.period, Some((1_500_000_000_000, 1_500_006_004_000)));
    let (sessions, report) = read("recbole_sessions");
    assert_eq!((report.format.key, report.interactions), ("RecBole", 6));
    assert_eq!((history(&sessions, "1"), history(&sessions, "2")), ("5 6 7".to_owned(), "5 5 8".to_owned()));
    let (lists, report) = read("item_lists");
    // Users 1 to 8 have 5 + u % 3 items each.
    assert_eq!((report.format.key, report.interactions, report.users), ("ItemLists", 49, 8));
    assert_eq!(history(&lists, "1"), "4 5 6 7 8 9");
}
