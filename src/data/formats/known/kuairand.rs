//! KuaiRand: what a video app showed, with whether it was clicked.

use super::named_table::NamedTable;
use crate::data::formats::plan::{Roles, Separator};
use crate::data::formats::spec::{Events, FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "KuaiRand",
    label: "KuaiRand",
    kinds: "",
    summary: "Videos that the app Kuaishou showed to users in 2022, with what they did (Pure, 1K and 27K).",
    files: &[Term {
        name: "log_standard_*.csv, log_random_*.csv",
        meaning: "comma-separated, with `user_id`, `video_id`, `time_ms` (milliseconds) and `is_click` among others; the periods of a \
                  log are read together by a pattern",
    }],
    recognition: "a header with `user_id`, `video_id`, `time_ms` and `is_click`",
    certain: true,
    expected: "a log with user_id, video_id, time_ms and is_click was expected",
    traps: &[
        "A line is a video that was shown. Only clicks are interactions, unless `events: [\"0\", \"1\"]` takes all.",
        "A folder has standard and random logs: `path: \"log_standard_*.csv\"` reads those of one.",
        "`date` and `hourmin` are not used: `time_ms` is the time.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(LOG.layout(sample, &ROLES)),
        events: Some(Events {
            column: "is_click",
            usual: &["1"],
            kinds: &[Term { name: "0", meaning: "shown, not clicked" }, Term { name: "1", meaning: "clicked" }],
        }),
        ..Reader::ONE_FILE
    },
};

const LOG: NamedTable =
    NamedTable { separator: Separator::Quoted(b','), columns: &["user_id", "video_id", "time_ms", "is_click"] };
const ROLES: Roles<&str> = Roles { user: "user_id", item: "video_id", time: Some("time_ms"), rating: None };
