//! Gowalla and Brightkite: check-ins at places, without a header (SNAP).

use super::named_table::headless;
use crate::calendar;
use crate::data::formats::plan::{Layout, Roles, Separator};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Gowalla",
    label: "Gowalla / Brightkite",
    kinds: "",
    summary: "Check-ins of users at places from 2008 to 2010 (SNAP).",
    files: &[Term {
        name: "loc-gowalla_totalCheckins.txt, loc-brightkite_totalCheckins.txt",
        meaning: "user, time (`2010-10-19T23:55:27Z`), latitude, longitude and place between tabs, without a header",
    }],
    recognition: "five columns between tabs of which the second is a date, the third from -90 to 90 and the fourth from -180 to 180",
    certain: true,
    expected: "check-ins as user, time, latitude, longitude and place between tabs were expected",
    traps: &[
        "Users come back to a place: with `deduplicate` (the default) only the first check-in counts.",
        "The place is the item; where it lies is not used.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader { layout: |sample, _| Ok(layout(sample)), ..Reader::ONE_FILE },
};

fn layout(sample: &FileSample) -> Option<Layout> {
    let roles = Roles { user: 0, item: 4, time: Some(1), rating: None };
    let within = |text: &str, most: f64| text.parse::<f64>().is_ok_and(|degrees| degrees.abs() <= most);
    headless(sample, Separator::Plain(b'\t'), 5, roles, |row| {
        row[1].contains('T') && calendar::parse(&row[1]).is_some() && within(&row[2], 90.0) && within(&row[3], 180.0)
    })
}
