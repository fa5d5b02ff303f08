//! Last.fm: how often users listened to artists (HetRec 2011), and every time that they listened (1K).

use super::named_table::{NamedTable, beside, headless};
use crate::calendar;
use crate::data::formats::plan::{ItemRoles, Layout, Roles, Separator};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "LastFm",
    label: "Last.fm",
    kinds: "",
    summary: "Music that users of Last.fm listened to: play counts of artists (HetRec 2011) or every play with its time (1K users).",
    files: &[
        Term {
            name: "user_artists.dat",
            meaning: "HetRec: `userID`, `artistID` and `weight` (plays) between tabs, under these names",
        },
        Term { name: "artists.dat", meaning: "HetRec: `id`, `name` and links between tabs; optional" },
        Term {
            name: "userid-timestamp-artid-artname-traid-traname.tsv",
            meaning: "1K: user, time, artist's id and name, track's id and name between tabs, without a header",
        },
    ],
    recognition: "the header `userID`, `artistID`, `weight`; or six columns between tabs of which the first is like `user_000001` and \
                  the second a date",
    certain: true,
    expected: "`user_artists.dat` or `userid-timestamp-artid-artname-traid-traname.tsv` was expected",
    traps: &[
        "HetRec has no times, so that there are no stages in time (`stages: ByOrder(…)`); the plays are the rating.",
        "In 1K the item is the artist, by name: many have no id. With `deduplicate` (the default) only the first play of an artist \
         counts.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(PLAYS.layout(sample, &ROLES).or_else(|| every_play(sample))),
        items: |sample| ARTISTS.items(sample, &ARTIST),
        items_path: |sample| beside(sample, &["artists.dat"]),
        name: |_| "Last.fm".to_owned(),
        ..Reader::ONE_FILE
    },
};

const TAB: Separator = Separator::Plain(b'\t');
const PLAYS: NamedTable = NamedTable { separator: TAB, columns: &["userID", "artistID", "weight"] };
const ROLES: Roles<&str> = Roles { user: "userID", item: "artistID", time: None, rating: Some("weight") };
const ARTISTS: NamedTable = NamedTable { separator: TAB, columns: &["id", "name", "url", "pictureURL"] };
const ARTIST: ItemRoles<&str> = ItemRoles { id: "id", title: Some("name"), description: None, categories: None };

fn every_play(sample: &FileSample) -> Option<Layout> {
    let roles = Roles { user: 0, item: 3, time: Some(1), rating: None };
    headless(sample, TAB, 6, roles, |row| row[0].starts_with("user_") && calendar::parse(&row[1]).is_some())
}
