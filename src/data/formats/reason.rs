//! Why files are taken for a format, in words for people.

use super::plan::{Delimited, Layout, Plan, Roles};

impl Plan {
    /// What about the files tells their format.
    pub fn reason(&self) -> String {
        self.interactions.first().map_or_else(String::new, |source| (self.format.reader.reason)(&source.layout))
    }
}

impl Layout {
    /// What the layout says by itself, whatever the format.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Objects(roles) => {
                let names: Vec<&str> = roles.each().map(|(_, key)| key.as_str()).collect();
                format!("Each record is an object with {}", names.join(", "))
            }
            Self::Delimited { table, roles } => of_table(table, roles),
            Self::Parquet(roles) => format!("The columns {} and {} say what they are", roles.user, roles.item),
            Self::Augmented(_) => "Each line has a user, the earlier items and the next one".to_owned(),
            Self::Histories | Self::Impressions | Self::Lists => String::new(),
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
