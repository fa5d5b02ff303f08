//! H&M Personalized Fashion Recommendations: purchases and articles.

use super::named_table::{NamedTable, beside};
use crate::data::formats::plan::{ItemRoles, Roles, Separator};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "HM",
    label: "H&M",
    kinds: "",
    summary: "Purchases at H&M from 2018 to 2020 (the Kaggle competition on fashion).",
    files: &[
        Term {
            name: "transactions_train.csv",
            meaning: "comma-separated, under `t_dat,customer_id,article_id,price,sales_channel_id`",
        },
        Term {
            name: "articles.csv",
            meaning: "comma-separated, with `article_id`, `prod_name`, `product_type_name` and `detail_desc`; optional",
        },
    ],
    recognition: "a header with `t_dat`, `customer_id` and `article_id`",
    certain: true,
    expected: "`transactions_train.csv` with t_dat, customer_id and article_id was expected",
    traps: &[
        "Ids of articles begin with 0 and are texts: `0663713001` is not `663713001`. A copy that a spreadsheet or pandas wrote as \
         numbers does not match `articles.csv`.",
        "Times are days: what a customer bought on one day stays in the order of the file.",
        "The price is no rating and is not used.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(TRANSACTIONS.layout(sample, &ROLES)),
        items: |sample| ARTICLES.items(sample, &ARTICLE),
        items_path: |sample| beside(sample, &["articles.csv"]),
        name: |_| "H&M".to_owned(),
        ..Reader::ONE_FILE
    },
};

const COMMA: Separator = Separator::Quoted(b',');
const TRANSACTIONS: NamedTable =
    NamedTable { separator: COMMA, columns: &["t_dat", "customer_id", "article_id", "price"] };
const ROLES: Roles<&str> = Roles { user: "customer_id", item: "article_id", time: Some("t_dat"), rating: None };
const ARTICLES: NamedTable = NamedTable { separator: COMMA, columns: &["article_id", "prod_name"] };
const ARTICLE: ItemRoles<&str> = ItemRoles {
    id: "article_id",
    title: Some("prod_name"),
    description: Some("detail_desc"),
    categories: Some("product_type_name"),
};
