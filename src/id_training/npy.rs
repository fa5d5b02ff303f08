//! Item vectors from a NumPy file, and whose row is whose.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use npyz::{NpyFile, TypeChar};

use crate::error::InputError;
use crate::files;

/// Values that are read, at most: 100,000 items of 4096.
const MAX_VALUES: u64 = 1 << 29;
/// Bytes of a file of ids that are read, at most.
const LARGEST_IDS: u64 = 1 << 28;

/// The file beside a matrix that says whose rows are whose, an id a line: `image.ids.txt` for `image.npy`.
pub fn ids_path(path: &Path) -> PathBuf {
    path.with_extension("ids.txt")
}

/// Reads a vector an item. Rows belong to the ids of the file beside the matrix ([`ids_path`]), which may have more than
/// these items; where there is none, the rows are `items` in their order.
///
/// # Errors
/// The file is no matrix of finite numbers; the ids are not as many as the rows, one stands there twice, or an item has none.
pub fn read(path: &Path, items: &[&str]) -> Result<Vec<Vec<f64>>, InputError> {
    let ids = ids_path(path);
    let rows = matrix(path)?;
    if !ids.is_file() {
        if rows.len() != items.len() {
            let found = rows.len();
            return Err(InputError::new(path, format!("the matrix has {found} rows for {} items", items.len())).advice(
                format!(
                    "put {} beside it with an id a line, or make the rows in the order that `peso semantic-ids PROJECT --items FILE` writes",
                    ids.file_name().unwrap_or_default().display()
                ),
            ));
        }
        return Ok(rows);
    }
    let row_by_id = rows_by_id(&ids, rows.len())?;
    let mut taken = Vec::with_capacity(items.len());
    for item in items {
        let row = row_by_id.get(*item).ok_or_else(|| {
            InputError::new(&ids, format!("item `{item}` has no row")).advice(
                "every item that preparation leaves needs one; `peso semantic-ids PROJECT --items FILE` writes them down",
            )
        })?;
        taken.push(rows[*row].clone());
    }
    Ok(taken)
}

/// The row of each id.
fn rows_by_id(path: &Path, rows: usize) -> Result<HashMap<String, usize>, InputError> {
    let text = files::read_text(path, LARGEST_IDS)?;
    let mut row_by_id = HashMap::new();
    for (row, line) in text.lines().enumerate() {
        if row_by_id.insert(line.to_owned(), row).is_some() {
            let place = format!("line {}", row + 1);
            return Err(InputError::new(path, format!("`{line}` stands there twice")).at(place));
        }
    }
    if row_by_id.len() == rows {
        return Ok(row_by_id);
    }
    Err(InputError::new(path, format!("{} ids for {rows} rows", row_by_id.len()))
        .advice("expected an id a line, a line a row"))
}

/// Reads a matrix of two dimensions in `f4` or `f8`, row-major.
///
/// # Errors
/// The file cannot be read, is no such matrix, or has a value that is not finite.
fn matrix(path: &Path) -> Result<Vec<Vec<f64>>, InputError> {
    let advice = "expected a matrix of 32-bit or 64-bit floats in row-major order, with a row an item";
    let bad = |problem: String| InputError::new(path, problem).advice(advice);
    let file = File::open(path).map_err(|error| InputError::io(path, "open", &error))?;
    let array = NpyFile::new(BufReader::new(file)).map_err(|error| bad(format!("not a NumPy file: {error}")))?;
    let &[found, width] = array.shape() else {
        return Err(bad(format!("the array has {} dimensions", array.shape().len())));
    };
    if width == 0 || found.saturating_mul(width) > MAX_VALUES || array.order() != npyz::Order::C {
        return Err(bad(format!("a matrix of {found} x {width} in this order cannot be used")));
    }
    let values: Vec<f64> = match array.dtype() {
        npyz::DType::Plain(kind) if kind.type_char() == TypeChar::Float && kind.size_field() == 4 => array
            .into_vec::<f32>()
            .map_err(|error| bad(format!("cannot be read: {error}")))?
            .into_iter()
            .map(f64::from)
            .collect(),
        npyz::DType::Plain(kind) if kind.type_char() == TypeChar::Float && kind.size_field() == 8 => {
            array.into_vec::<f64>().map_err(|error| bad(format!("cannot be read: {error}")))?
        }
        other => return Err(bad(format!("the values are of the type {}", other.descr()))),
    };
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let (row, column) = (index as u64 / width, index as u64 % width);
        return Err(bad(format!("the value {} is not finite", values[index])).at(format!("row {row}, column {column}")));
    }
    Ok(values.chunks(width as usize).map(<[f64]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use npyz::WriterBuilder;

    use super::*;

    fn written<T: npyz::Serialize + npyz::AutoSerialize + Copy>(
        shape: &[u64],
        values: &[T],
    ) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.npy");
        let options = npyz::WriteOptions::new().default_dtype().shape(shape);
        let mut writer = options.writer(File::create(&path).unwrap()).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        (folder, path)
    }

    #[test]
    fn rows_of_both_float_types_are_read() {
        let (_folder, path) = written(&[2, 3], &[1.5f32, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(read(&path, &["a", "b"]).unwrap(), [[1.5, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let (_folder, path) = written(&[2, 1], &[0.1f64, -7.0]);
        assert_eq!(read(&path, &["a", "b"]).unwrap(), [[0.1], [-7.0]]);
    }

    #[test]
    fn rows_belong_to_the_ids_beside_them() {
        let (_folder, path) = written(&[3, 1], &[1.0f32, 2.0, 3.0]);
        let ids = ids_path(&path);
        assert_eq!(ids.file_name().unwrap(), "vectors.ids.txt");
        std::fs::write(&ids, "b\nx\na\n").unwrap();
        assert_eq!(read(&path, &["a", "b"]).unwrap(), [[3.0], [1.0]]);
        assert_eq!(read(&path, &["a", "c"]).unwrap_err().problem, "item `c` has no row");
        std::fs::write(&ids, "b\nx\nb\n").unwrap();
        assert_eq!(read(&path, &["b"]).unwrap_err().place.as_deref(), Some("line 3"));
        std::fs::write(&ids, "b\nx\n").unwrap();
        assert_eq!(read(&path, &["b"]).unwrap_err().problem, "2 ids for 3 rows");
    }

    #[test]
    fn other_files_are_refused_with_the_reason() {
        let refused = |path: &Path, rows: usize| read(path, &vec!["a"; rows]).unwrap_err();
        let (_folder, path) = written(&[2, 2], &[1.0f64, 2.0, f64::NAN, 4.0]);
        assert_eq!(refused(&path, 2).place.as_deref(), Some("row 1, column 0"));
        let (_folder, path) = written(&[2, 2], &[1.0f64; 4]);
        assert_eq!(refused(&path, 3).problem, "the matrix has 2 rows for 3 items");
        let (_folder, path) = written(&[4], &[1.0f32; 4]);
        assert_eq!(refused(&path, 4).problem, "the array has 1 dimensions");
        let (_folder, path) = written(&[2, 2], &[1i32; 4]);
        assert!(refused(&path, 2).problem.starts_with("the values are of the type"));
        // A header that promises more than the file holds.
        let (_folder, path) = written(&[2, 2], &[1.0f64; 4]);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
        assert!(refused(&path, 2).problem.starts_with("cannot be read"));
        std::fs::write(&path, "nothing").unwrap();
        assert!(refused(&path, 2).problem.starts_with("not a NumPy file"));
    }
}
