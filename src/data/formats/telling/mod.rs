//! What a path is: its files, their beginnings, the format that they have, or the answer where there is none.

pub mod dataset_files;
pub mod detect;
pub mod excerpt;
pub mod file_names;
pub mod file_set;
pub mod first_rows;
pub mod found;
pub mod sample;
pub mod unknown;
