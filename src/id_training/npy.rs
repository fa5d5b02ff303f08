//! Item vectors from a NumPy file, and whose row is whose.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use half::f16;
use npyz::{DType, NpyFile, Order, TypeChar};

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

/// Reads a vector an item; see [`read_some`].
///
/// # Errors
/// Those of [`read_some`]; an item has no row.
pub fn read(path: &Path, items: &[&str]) -> Result<Vec<Vec<f64>>, InputError> {
    let found = read_some(path, items)?;
    let advice = "every item that preparation leaves needs one; `peso semantic-ids PROJECT --items FILE` writes them down, and beside another source in `Concat` an item may lack its row";
    let ids = ids_path(path);
    let file = if ids.is_file() { ids.as_path() } else { path };
    let row = |(row, item): (Option<Vec<f64>>, &&str)| {
        row.ok_or_else(|| InputError::new(file, format!("item `{item}` has no row")).advice(advice))
    };
    found.into_iter().zip(items).map(row).collect()
}

/// Reads the vectors of the items that have one. Rows belong to the ids of the file beside the matrix ([`ids_path`]), which may have
/// more than these items or fewer; where there is none, the rows are `items` in their order. A row of NaN alone is none.
///
/// # Errors
/// The file is no matrix of finite numbers; the ids are not as many as the rows, one stands there twice, or no item has one.
pub fn read_some(path: &Path, items: &[&str]) -> Result<Vec<Option<Vec<f64>>>, InputError> {
    let ids = ids_path(path);
    let rows = matrix(path)?;
    let (file, found) = if ids.is_file() {
        let row_by_id = rows_by_id(&ids, rows.len())?;
        let row = |item: &&str| row_by_id.get(*item).and_then(|row| rows[*row].clone());
        (ids.as_path(), items.iter().map(row).collect())
    } else if rows.len() == items.len() {
        (path, rows)
    } else {
        let problem = format!("the matrix has {} rows for {} items", rows.len(), items.len());
        return Err(InputError::new(path, problem).advice(format!(
            "put {} beside it with an id a line, or make the rows in the order that `peso semantic-ids PROJECT --items FILE` writes",
            ids.file_name().unwrap_or_default().display()
        )));
    };
    if found.iter().any(Option::is_some) || items.is_empty() {
        return Ok(found);
    }
    Err(InputError::new(file, "none of the project's items has a row")
        .advice("`peso semantic-ids PROJECT --items FILE` writes down the ids as the data have them"))
}

/// The row of each id.
fn rows_by_id(path: &Path, rows: usize) -> Result<HashMap<String, usize>, InputError> {
    let text = files::read_text(path, LARGEST_IDS)?;
    // Ids have no blanks around them wherever they are read.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end();
    let mut row_by_id = HashMap::new();
    for (row, line) in text.lines().map(str::trim).enumerate() {
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

/// Reads a matrix of two dimensions in `f2`, `f4` or `f8`, of either byte order, by rows or by columns; a row of NaN alone is none.
///
/// # Errors
/// The file cannot be read, is no such matrix, or has another value that is not finite.
fn matrix(path: &Path) -> Result<Vec<Option<Vec<f64>>>, InputError> {
    let advice = "expected a matrix of 16-bit, 32-bit or 64-bit floats with a row an item, as `numpy.save` writes it";
    let bad = |problem: String| InputError::new(path, problem).advice(advice);
    let file = File::open(path).map_err(|error| InputError::io(path, "open", &error))?;
    let bytes = file.metadata().map_err(|error| InputError::io(path, "open", &error))?.len();
    let mut reader = BufReader::new(file);
    if let Some(header) = header_bytes(&mut reader).filter(|header| *header > bytes) {
        return Err(bad(format!("cannot be read: a header of {header} bytes in a file of {bytes}")));
    }
    let array = NpyFile::new(reader).map_err(|error| bad(not_an_array(path, &error)))?;
    let &[found, width] = array.shape() else {
        return Err(bad(format!("the array has {} dimensions", array.shape().len())));
    };
    let (kind, size) = match array.dtype() {
        DType::Plain(kind) if kind.type_char() == TypeChar::Float && [2, 4, 8].contains(&kind.size_field()) => {
            let size = kind.size_field();
            (kind, size)
        }
        other => return Err(bad(format!("the values are {}", type_in_words(&other)))),
    };
    let values = found.saturating_mul(width);
    if width == 0 || values > MAX_VALUES {
        return Err(bad(format!("a matrix of {found} x {width} cannot be used")));
    }
    // Memory is taken for what the file has, not for what it promises.
    if values * size > bytes {
        return Err(bad(format!(
            "cannot be read: the file is cut off, with {bytes} bytes for {found} x {width} values"
        )));
    }
    let order = array.order();
    let unreadable = |error: std::io::Error| bad(format!("cannot be read: {error}"));
    let values: Vec<f64> = match kind.size_field() {
        2 => array.into_vec::<f16>().map_err(unreadable)?.into_iter().map(f64::from).collect(),
        4 => array.into_vec::<f32>().map_err(unreadable)?.into_iter().map(f64::from).collect(),
        _ => array.into_vec::<f64>().map_err(unreadable)?,
    };
    let (rows, width) = (found as usize, width as usize);
    let rows: Vec<Vec<f64>> = match order {
        Order::C => values.chunks(width).map(<[f64]>::to_vec).collect(),
        Order::Fortran => (0..rows).map(|row| values.iter().skip(row).step_by(rows).copied().collect()).collect(),
    };
    let nothing = |row: &[f64]| row.iter().all(|value| value.is_nan());
    for (number, row) in rows.iter().enumerate().filter(|(_, row)| !nothing(row)) {
        if let Some(column) = row.iter().position(|value| !value.is_finite()) {
            let place = format!("row {number}, column {column}");
            return Err(bad(format!("the value {} is not finite", row[column])).at(place));
        }
    }
    Ok(rows.into_iter().map(|row| (!nothing(&row)).then_some(row)).collect())
}

/// How long the header of a file says that it is, where it says it; nothing is read from the reader by that. The library takes
/// memory for as much.
fn header_bytes(reader: &mut BufReader<File>) -> Option<u64> {
    let start = reader.fill_buf().ok()?;
    match start.get(6)? {
        1 => Some(u64::from(u16::from_le_bytes(start.get(8..10)?.try_into().ok()?))),
        _ => Some(u64::from(u32::from_le_bytes(start.get(8..12)?.try_into().ok()?))),
    }
}

/// Why a file is no array that can be read.
fn not_an_array(path: &Path, error: &std::io::Error) -> String {
    let mut start = Vec::new();
    // What cannot be read tells no more than the error.
    let _ = File::open(path).and_then(|file| file.take(4).read_to_end(&mut start));
    if start.starts_with(b"PK") {
        return "several arrays in one file (npz): save the one that is needed with `numpy.save`".to_owned();
    }
    format!("not a NumPy file: {error}")
}

/// A type of values for people, with NumPy's name for it.
fn type_in_words(kind: &DType) -> String {
    let DType::Plain(plain) = kind else { return format!("structured, {}", kind.descr()) };
    let words = match plain.type_char() {
        TypeChar::Bool => "truth values",
        TypeChar::Int | TypeChar::Uint => "whole numbers",
        TypeChar::Float => "floats of another size",
        TypeChar::Complex => "complex numbers",
        TypeChar::Object => "Python objects",
        TypeChar::RawData => "raw bytes, as bfloat16 is written",
        TypeChar::ByteStr | TypeChar::UnicodeStr => "texts",
        TypeChar::TimeDelta | TypeChar::DateTime => "times",
        _ => "of another kind",
    };
    format!("{words} ({})", kind.descr().trim_matches('\''))
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

    /// A file as NumPy writes it: `numpy.save(path, array)`, of which `header` is the text between the braces.
    fn saved(header: &str, data: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.npy");
        let header = format!("{{{header}, }}");
        let header = format!("{header:<117}\n");
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn a_header_longer_than_its_file_is_refused_before_memory_is_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vectors.npy");
        std::fs::write(&path, b"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'").unwrap();
        let error = read(&path, &["a"]).unwrap_err().to_string();
        assert!(error.contains("a header of 4294967295 bytes in a file of 20"), "{error}");
    }

    #[test]
    fn every_float_in_either_byte_order_and_either_order_of_axes_is_read() {
        // `numpy.array([[1.5, -2, 0.25], [4, 5, 65504]], dtype).tobytes(order)`
        let rows = [[1.5, -2.0, 0.25], [4.0, 5.0, 65504.0]];
        let f2: [u16; 6] = [0x3e00, 0xc000, 0x3400, 0x4400, 0x4500, 0x7bff];
        let little: Vec<u8> = f2.iter().flat_map(|half| half.to_le_bytes()).collect();
        let big: Vec<u8> = f2.iter().flat_map(|half| half.to_be_bytes()).collect();
        let by_rows: Vec<u8> = rows.iter().flatten().flat_map(|value| (*value as f32).to_be_bytes()).collect();
        let columns = [1.5, 4.0, -2.0, 5.0, 0.25, 65504.0];
        let by_columns: Vec<u8> = columns.iter().flat_map(|value: &f64| value.to_be_bytes()).collect();
        for (header, data) in [
            ("'descr': '<f2', 'fortran_order': False, 'shape': (2, 3)", &little),
            ("'descr': '>f2', 'fortran_order': False, 'shape': (2, 3)", &big),
            ("'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)", &by_rows),
            ("'descr': '>f8', 'fortran_order': True, 'shape': (2, 3)", &by_columns),
        ] {
            let (_folder, path) = saved(header, data);
            assert_eq!(read(&path, &["a", "b"]).unwrap(), rows, "{header}");
        }
        let problem = |header: &str, data: &[u8]| {
            let (_folder, path) = saved(header, data);
            read(&path, &["a", "b"]).unwrap_err().problem
        };
        let huge = problem("'descr': '<f4', 'fortran_order': False, 'shape': (2, 200000000)", &little);
        assert!(huge.starts_with("cannot be read: the file is cut off"), "{huge}");
        let raw = problem("'descr': '|V2', 'fortran_order': False, 'shape': (2, 3)", &little);
        assert_eq!(raw, "the values are raw bytes, as bfloat16 is written (|V2)");
        let objects = problem("'descr': '|O', 'fortran_order': False, 'shape': (2, 3)", &little);
        assert!(objects.contains("Python objects"), "{objects}");
    }

    #[test]
    fn rows_belong_to_the_ids_beside_them() {
        let (_folder, path) = written(&[3, 1], &[1.0f32, 2.0, 3.0]);
        let ids = ids_path(&path);
        assert_eq!(ids.file_name().unwrap(), "vectors.ids.txt");
        std::fs::write(&ids, "b\nx\na\n").unwrap();
        assert_eq!(read(&path, &["a", "b"]).unwrap(), [[3.0], [1.0]]);
        assert_eq!(read(&path, &["a", "c"]).unwrap_err().problem, "item `c` has no row");
        std::fs::write(&ids, "\u{feff}b\r\nx \r\na\r\n\r\n").unwrap();
        assert_eq!(read(&path, &["a", "b"]).unwrap(), [[3.0], [1.0]]);
        std::fs::write(&ids, "b\nx\nb\n").unwrap();
        assert_eq!(read(&path, &["b"]).unwrap_err().place.as_deref(), Some("line 3"));
        std::fs::write(&ids, "b\nx\n").unwrap();
        assert_eq!(read(&path, &["b"]).unwrap_err().problem, "2 ids for 3 rows");
    }

    #[test]
    fn items_without_a_row_have_none_and_a_lone_source_is_refused_for_it() {
        let (_folder, path) = written(&[3, 2], &[1.0f32, 2.0, f32::NAN, f32::NAN, 5.0, 6.0]);
        let found = read_some(&path, &["a", "b", "c"]).unwrap();
        assert_eq!(found, [Some(vec![1.0, 2.0]), None, Some(vec![5.0, 6.0])]);
        assert_eq!(read(&path, &["a", "b", "c"]).unwrap_err().problem, "item `b` has no row");
        let ids = ids_path(&path);
        std::fs::write(&ids, "c\nb\na\n").unwrap();
        let found = read_some(&path, &["a", "b", "c", "d"]).unwrap();
        assert_eq!(found, [Some(vec![5.0, 6.0]), None, Some(vec![1.0, 2.0]), None]);
        let nobody = read_some(&path, &["x", "y"]).unwrap_err();
        assert_eq!(nobody.problem, "none of the project's items has a row");
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
        assert_eq!(refused(&path, 2).problem, "the values are whole numbers (<i4)");
        let (_folder, path) = written(&[2, 2], &[true; 4]);
        assert_eq!(refused(&path, 2).problem, "the values are truth values (|b1)");
        // A header that promises more than the file holds.
        let (_folder, path) = written(&[2, 2], &[1.0f64; 4]);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 5]).unwrap();
        assert!(refused(&path, 2).problem.starts_with("cannot be read"));
        std::fs::write(&path, "nothing").unwrap();
        assert!(refused(&path, 2).problem.starts_with("not a NumPy file"));
    }
}
