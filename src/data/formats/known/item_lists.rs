//! TIGER, P5 and S3-Rec: a line a user, with the items in their order.

use crate::data::formats::plan::Layout;
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::formats::telling::sample::FileSample;
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "ItemLists",
    label: "P5 / TIGER",
    kinds: "",
    summary: "Users' sequences, a line each, as P5, S3-Rec and implementations of TIGER keep them.",
    files: &[Term {
        name: "sequential_data.txt",
        meaning: "`user item item …` in the order of the interactions, numbers with blanks between, without a header",
    }],
    recognition: "lines of numbers with blanks between, three or more and not the same count in all, each beginning with another number",
    certain: true,
    expected: "lines like `user item item …` were expected",
    traps: &[
        "There are no times: stages cannot be cut at dates, only by each user's own order (`stages: ByOrder(…)`).",
        "The first number is the user, the others are items; a user in two lines goes on in the second.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader { layout: |sample, named| Ok(layout(sample, named)), reason, ..Reader::ONE_FILE },
};

fn layout(sample: &FileSample, named: bool) -> Option<Layout> {
    let lines = sample.lines();
    let number = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_digit);
    let words = |line: &&[u8]| line.trim_ascii().split(|&byte| byte == b' ').map(number).collect::<Vec<bool>>();
    let counts: Vec<usize> =
        lines.iter().map(words).map(|words| if words.contains(&false) { 0 } else { words.len() }).collect();
    let users: Vec<&[u8]> = lines.iter().filter_map(|line| line.split(|&byte| byte == b' ').next()).collect();
    let distinct = users.iter().enumerate().all(|(at, user)| !users[..at].contains(user));
    let uneven = counts.iter().any(|&count| count != counts[0]);
    let least = if named { 2 } else { 3 };
    let lists = counts.iter().all(|&count| count >= least) && (named || distinct && uneven);
    (!counts.is_empty() && lists).then_some(Layout::Lists)
}

fn reason(_: &Layout) -> String {
    "Each line has a user and the items in their order".to_owned()
}
