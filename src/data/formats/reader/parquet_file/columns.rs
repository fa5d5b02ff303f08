//! Columns of a Parquet file by name, those within structs too, and where they are in a row.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::record::{Field as Value, Row};
use parquet::schema::types::{Type, TypePtr};

use crate::error::InputError;

/// Whether a field is a struct, whose fields have names of their own; not a list or a map.
fn is_struct(field: &Type) -> bool {
    let info = field.get_basic_info();
    let plain = info.converted_type() == ConvertedType::NONE && info.logical_type_ref().is_none();
    field.is_group() && plain && info.has_repetition() && info.repetition() != parquet::basic::Repetition::REPEATED
}

/// Names of all columns; those within a struct follow its name and a dot.
pub fn names(fields: &[TypePtr]) -> Vec<String> {
    fn add(fields: &[TypePtr], before: &str, names: &mut Vec<String>) {
        for field in fields {
            let name = format!("{before}{}", field.name());
            if is_struct(field) { add(field.get_fields(), &format!("{name}."), names) } else { names.push(name) }
        }
    }
    let mut names = Vec::new();
    add(fields, "", &mut names);
    names
}

/// A column that is read.
pub struct Column {
    name: String,
    /// Its place in a row, and within each struct.
    path: Vec<usize>,
    unit: Unit,
}

/// What a number stands for where its value does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Itself,
    /// Such a part of a second since 1970.
    Time(TimeUnit),
    /// Bytes of a UUID.
    Uuid,
}

impl Column {
    /// The value in a row; none where a struct on the way is null.
    pub fn of<'r>(&self, row: &'r [(String, Value)]) -> Option<&'r Value> {
        let (&first, rest) = self.path.split_first()?;
        let mut value = &row.get(first)?.1;
        for &index in rest {
            let Value::Group(inside) = value else { return None };
            value = nth(inside, index)?;
        }
        Some(value)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn unit(&self) -> Unit {
        self.unit
    }
}

fn nth(row: &Row, index: usize) -> Option<&Value> {
    row.get_column_iter().nth(index).map(|(_, value)| value)
}

/// The schema of the named columns alone, and the columns.
///
/// # Errors
/// A column is not there; the error lists those that are.
pub fn projection(path: &Path, schema: &Type, wanted: &[&str]) -> Result<(Type, Vec<Column>), InputError> {
    let known = names(schema.get_fields());
    for &name in wanted {
        if !known.iter().any(|known| known == name) {
            return Err(InputError::new(path, format!("there is no column \"{name}\""))
                .advice(format!("the file has {}", known.join(", "))));
        }
    }
    let build = |fields| Type::group_type_builder(schema.name()).with_fields(fields).build();
    let projected = kept(schema.get_fields(), "", wanted).and_then(build);
    let projected = projected.map_err(|error| super::damaged(path, &error))?;
    let column = |name: &&str| {
        let (path, field) = find(projected.get_fields(), name)?;
        let unit = match field.get_basic_info().logical_type_ref() {
            Some(LogicalType::Timestamp(time)) => Unit::Time(time.unit),
            Some(LogicalType::Uuid) => Unit::Uuid,
            _ => Unit::Itself,
        };
        Some(Column { name: (*name).to_owned(), path, unit })
    };
    let columns = wanted.iter().filter_map(column).collect();
    Ok((projected, columns))
}

/// The fields with what is wanted of each.
fn kept(fields: &[TypePtr], before: &str, wanted: &[&str]) -> Result<Vec<TypePtr>, ParquetError> {
    let mut kept_fields = Vec::new();
    for field in fields {
        let name = format!("{before}{}", field.name());
        if wanted.contains(&name.as_str()) {
            kept_fields.push(Arc::clone(field));
        } else if is_struct(field) {
            let inside = kept(field.get_fields(), &format!("{name}."), wanted)?;
            if !inside.is_empty() {
                let repetition = field.get_basic_info().repetition();
                let group = Type::group_type_builder(field.name()).with_repetition(repetition).with_fields(inside);
                kept_fields.push(Arc::new(group.build()?));
            }
        }
    }
    Ok(kept_fields)
}

/// The place of a column, and its field.
fn find<'f>(fields: &'f [TypePtr], name: &str) -> Option<(Vec<usize>, &'f TypePtr)> {
    for (index, field) in fields.iter().enumerate() {
        if field.name() == name {
            return Some((vec![index], field));
        }
        let within = name.strip_prefix(field.name()).and_then(|rest| rest.strip_prefix('.'));
        if let Some(rest) = within.filter(|_| is_struct(field))
            && let Some((path, found)) = find(field.get_fields(), rest)
        {
            return Some(([index].into_iter().chain(path).collect(), found));
        }
    }
    None
}
