//! Retailrocket: what visitors of a shop viewed, put into the cart and bought.

use super::named_table::NamedTable;
use crate::data::formats::plan::{Roles, Separator};
use crate::data::formats::spec::{Events, FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Retailrocket",
    label: "Retailrocket",
    kinds: "",
    summary: "Events of a shop in 2015 (the Kaggle dataset of Retailrocket).",
    files: &[Term {
        name: "events.csv",
        meaning: "comma-separated, under `timestamp,visitorid,event,itemid,transactionid`; times are milliseconds",
    }],
    recognition: "a header with `timestamp`, `visitorid`, `event` and `itemid`",
    certain: true,
    expected: "`events.csv` with timestamp, visitorid, event and itemid was expected",
    traps: &[
        "Views, carts and purchases are interactions alike; `events: [\"transaction\"]` takes purchases alone. With `deduplicate` (the \
         default) only the first event of a visitor and an item counts.",
        "The items' properties are hashed and are not read.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(EVENTS.layout(sample, &ROLES)),
        events: Some(Events {
            column: "event",
            usual: &[],
            kinds: &[
                Term { name: "view", meaning: "an item was looked at" },
                Term { name: "addtocart", meaning: "it was put into the cart" },
                Term { name: "transaction", meaning: "it was bought" },
            ],
        }),
        name: |_| "Retailrocket".to_owned(),
        ..Reader::ONE_FILE
    },
};

const EVENTS: NamedTable =
    NamedTable { separator: Separator::Quoted(b','), columns: &["timestamp", "visitorid", "event", "itemid"] };
const ROLES: Roles<&str> = Roles { user: "visitorid", item: "itemid", time: Some("timestamp"), rating: None };
