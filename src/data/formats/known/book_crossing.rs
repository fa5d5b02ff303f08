//! Book-Crossing: ratings of books by the readers of a community.

use super::named_table::{NamedTable, beside};
use crate::data::formats::plan::{ItemRoles, Roles, Separator};
use crate::data::formats::spec::{FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub static SPEC: FormatSpec = FormatSpec {
    key: "BookCrossing",
    label: "Book-Crossing",
    kinds: "",
    summary: "Ratings of books by readers of Book-Crossing in 2004 (Cai-Nicolas Ziegler).",
    files: &[
        Term {
            name: "BX-Book-Ratings.csv",
            meaning: "`\"User-ID\";\"ISBN\";\"Book-Rating\"`: semicolons, quotes and ISO-8859-1, under these names",
        },
        Term { name: "BX-Books.csv", meaning: "`ISBN`, `Book-Title`, `Book-Author` and others; optional" },
    ],
    recognition: "a header with `User-ID`, `ISBN` and `Book-Rating`, between semicolons or commas",
    certain: true,
    expected: "`BX-Book-Ratings.csv` with User-ID, ISBN and Book-Rating was expected",
    traps: &[
        "There are no times, so that there are no stages in time (`stages: ByOrder(…)`).",
        "The rating 0 is a book that was read and not rated; `least_rating: 1` leaves these out.",
    ],
    fields: SourceFields::Interactions,
    reader: Reader {
        layout: |sample, _| Ok(SEPARATORS.iter().find_map(|table| table.layout(sample, &ROLES))),
        items: |sample| BOOKS.iter().find_map(|table| table.items(sample, &BOOK)),
        items_path: |sample| beside(sample, &["BX-Books.csv", "BX_Books.csv", "Books.csv"]),
        name: |_| "Book-Crossing".to_owned(),
        ..Reader::ONE_FILE
    },
};

const RATING: &[&str] = &["User-ID", "ISBN", "Book-Rating"];
const SEPARATORS: [NamedTable; 2] = [
    NamedTable { separator: Separator::Quoted(b';'), columns: RATING },
    NamedTable { separator: Separator::Quoted(b','), columns: RATING },
];
const ROLES: Roles<&str> = Roles { user: "User-ID", item: "ISBN", time: None, rating: Some("Book-Rating") };
const TITLE: &[&str] = &["ISBN", "Book-Title"];
const BOOKS: [NamedTable; 2] = [
    NamedTable { separator: Separator::Quoted(b';'), columns: TITLE },
    NamedTable { separator: Separator::Quoted(b','), columns: TITLE },
];
const BOOK: ItemRoles<&str> = ItemRoles { id: "ISBN", title: Some("Book-Title"), description: None, categories: None };
