//! REES46: what visitors of shops viewed, put into the cart and bought, a month a file.

use super::named_table::NamedTable;
use crate::data::formats::plan::{Roles, Separator};
use crate::data::formats::spec::{Events, FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "Rees46",
    label: "REES46",
    kinds: "",
    summary: "Events of shops by month (eCommerce behavior, cosmetics and electronics; REES46 Open CDP).",
    files: &[Term {
        name: "2019-Oct.csv, 2019-Nov.csv",
        meaning: "comma-separated, under `event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session`; \
                  times are like `2019-10-01 00:00:00 UTC`. The months of a folder are read together",
    }],
    recognition: "a header with `event_time`, `event_type`, `product_id` and `user_id`",
    certain: true,
    expected: "events with event_time, event_type, product_id and user_id were expected",
    traps: &[
        "Views, carts and purchases are interactions alike, and what is taken out of a cart is none; `events: [\"purchase\"]` takes \
         purchases alone. With `deduplicate` (the default) only the first event of a user and a product counts.",
        "Sessions, categories, brands and prices are not used.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(EVENTS.layout(sample, &ROLES)),
        events: Some(Events {
            column: "event_type",
            usual: &["view", "cart", "purchase"],
            kinds: &[
                Term { name: "view", meaning: "a product was looked at" },
                Term { name: "cart", meaning: "it was put into the cart" },
                Term { name: "remove_from_cart", meaning: "it was taken out of the cart" },
                Term { name: "purchase", meaning: "it was bought" },
            ],
        }),
        name: |_| "REES46".to_owned(),
        ..Reader::ONE_FILE
    },
};

const EVENTS: NamedTable =
    NamedTable { separator: Separator::Quoted(b','), columns: &["event_time", "event_type", "product_id", "user_id"] };
const ROLES: Roles<&str> = Roles { user: "user_id", item: "product_id", time: Some("event_time"), rating: None };
