//! The formats: a file each, which says how it is recognised and where a record's parts are.

use super::spec::FormatSpec;

/// Declares the formats: a module each, and the list of their specs.
macro_rules! formats {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// In the order in which a file is asked for them: those whose content leaves the least doubt first.
        pub static SPECS: &[&FormatSpec] = &[$(&$name::SPEC),*];
    };
}

formats! {
    lc_rec,
    recbole,
    movielens,
    amazon_2023,
    amazon_2018,
    amazon_2014,
    yelp,
    steam,
    hm,
    kuairand,
    rees46,
    retailrocket,
    taobao,
    gowalla,
    lastfm,
    book_crossing,
    mind,
    minionerec,
    item_lists,
    table,
    peso_release,
}

/// Tables that their header tells.
pub mod named_table;

/// Tables whose rows are JSON objects.
pub mod object_table;

/// What the editions of Amazon have in common.
pub mod amazon;
