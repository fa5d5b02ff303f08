//! Why files are taken for a format, in words for people.

use super::Format;
use super::plan::{Delimited, Layout, Plan, Roles, Separator};

impl Plan {
    /// What about the files tells their format.
    pub fn reason(&self) -> String {
        let Some(source) = self.interactions.first() else { return String::new() };
        match (self.format, &source.layout) {
            (Format::LcRec, Layout::Histories) => "Each user has a list of items".to_owned(),
            (Format::LcRec, _) => "Each line has a user, the earlier items and the next one".to_owned(),
            (Format::RecBole, Layout::Delimited { table, .. }) => {
                let first = table.columns.first().map_or("", String::as_str);
                format!("The names of the columns have types, like {first}")
            }
            (Format::MovieLens, Layout::Delimited { table, .. }) => match table.separator {
                Separator::Colons => "Each line has four numbers with :: between them".to_owned(),
                Separator::Plain(_) => "Each line has four numbers between tabs, the third from 1 to 5".to_owned(),
                Separator::Quoted(_) => format!("The columns are {}", table.columns.join(", ")),
            },
            (Format::Amazon2014 | Format::Amazon2018 | Format::Amazon2023, Layout::Delimited { roles, .. }) => {
                let first = if roles.user < roles.item { "user" } else { "item" };
                format!("Each line has ids of Amazon, the {first} first, then rating and time")
            }
            (_, Layout::Objects(roles)) => {
                let names: Vec<&str> = roles.each().map(|(_, key)| *key).collect();
                format!("Each line is an object with {}", names.join(", "))
            }
            (_, Layout::Delimited { table, roles }) => of_table(table, roles),
            (_, Layout::Parquet(roles)) => format!("The columns {} and {} say what they are", roles.user, roles.item),
            (_, Layout::Histories | Layout::Augmented) => String::new(),
        }
    }
}

fn of_table(table: &Delimited, roles: &Roles<usize>) -> String {
    let name = |&column: &usize| table.columns.get(column).map_or("", String::as_str);
    if table.header {
        format!("The columns {} and {} say what they are", name(&roles.user), name(&roles.item))
    } else {
        let parts: Vec<&str> = roles.each().map(|(role, _)| role).collect();
        format!("No line names the columns, and each fits {}", parts.join(", "))
    }
}
