//! A column of ids: texts that say that there is none, and whole numbers that were written with a fraction.

use std::borrow::Cow;

use super::field::Field;
use super::missing::is_missing;
use crate::data::formats::assumption::Assumption;
use crate::data::formats::reading::Ids;

/// Reads the ids of a column.
#[derive(Debug)]
pub struct IdColumn {
    /// `user` or `item`.
    what: &'static str,
    ids: Ids,
    /// Whether ids are whole numbers with a fraction of zeros, as pandas writes a column that has missing ones.
    whole: bool,
    /// An id as a spreadsheet writes one that is too long for it, where most are.
    cut: Option<String>,
}

impl IdColumn {
    /// Decides by the first ids how all are written.
    pub fn of<'f, 'r: 'f>(what: &'static str, ids: Ids, first: impl Iterator<Item = &'f Field<'r>>) -> Self {
        let (mut whole, mut with_fraction, mut exponents, mut all) = (true, false, 0, 0);
        let mut cut = None;
        for field in first {
            let Field::Text(text) = field else { continue };
            let text = text.trim();
            if is_missing(text) {
                continue;
            }
            all += 1;
            let integer = without_fraction(text);
            with_fraction |= integer.is_some();
            whole &= integer.unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            if has_exponent(text) {
                exponents += 1;
                cut.get_or_insert_with(|| text.to_owned());
            }
        }
        let cut = cut.filter(|_| 2 * exponents > all);
        Self { what, ids, whole: ids == Ids::Cleaned && whole && with_fraction, cut }
    }

    /// The id of a field.
    ///
    /// # Errors
    /// It is none; says why, as it reads behind "the user".
    pub fn id<'f>(&self, field: &'f Field<'_>) -> Result<Cow<'f, str>, String> {
        let id = field.id()?;
        if self.ids == Ids::AsWritten || !matches!(field, Field::Text(_)) {
            return Ok(id);
        }
        if is_missing(&id) {
            return Err(format!("is missing ({id})"));
        }
        match id {
            Cow::Borrowed(text) if self.whole => Ok(Cow::Borrowed(without_fraction(text).unwrap_or(text))),
            id => Ok(id),
        }
    }

    /// What was taken for granted.
    pub fn assumptions(&self) -> Vec<Assumption> {
        let mut found = Vec::new();
        if self.whole {
            let words = format!("The ids of {}s are whole numbers written with a fraction: 500.0 is 500", self.what);
            found.push(Assumption::new(words, "write `reading: (ids: AsWritten)`"));
        }
        if let Some(cut) = &self.cut {
            found.push(Assumption::fact(format!(
                "The ids of {}s are like {cut}: a spreadsheet has cut their digits off, so that different {}s may have become one",
                self.what, self.what
            )));
        }
        found
    }
}

/// The whole number of a text like `500.0`.
pub fn without_fraction(text: &str) -> Option<&str> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let zeros = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    (zeros && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(whole)
}

/// Whether a text is like `9.78E+12`.
fn has_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once("E+") else { return false };
    mantissa.parse::<f64>().is_ok() && exponent.parse::<u8>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(texts: &[&str], ids: Ids) -> (Vec<Result<String, String>>, usize) {
        let fields: Vec<Field<'_>> = texts.iter().map(|text| Field::of_bytes(text.as_bytes())).collect();
        let column = IdColumn::of("user", ids, fields.iter());
        let read = fields.iter().map(|field| column.id(field).map(Cow::into_owned)).collect();
        (read, column.assumptions().len())
    }

    #[test]
    fn whole_numbers_with_a_fraction_are_whole_where_the_column_is_so() {
        // `pandas.read_csv(…).user_id.astype("Int64").astype(str)`
        let ok = |texts: &[&str]| texts.iter().map(|text| Ok((*text).to_owned())).collect::<Vec<_>>();
        assert_eq!(ids(&["500.0", "-1.0", "501"], Ids::Cleaned), (ok(&["500", "-1", "501"]), 1));
        assert_eq!(ids(&["500.0", "1.5"], Ids::Cleaned), (ok(&["500.0", "1.5"]), 0));
        assert_eq!(ids(&["500.0", "v1.0"], Ids::Cleaned), (ok(&["500.0", "v1.0"]), 0));
        assert_eq!(ids(&["500.0"], Ids::AsWritten), (ok(&["500.0"]), 0));
        assert_eq!(ids(&["9.78E+12", "9.79E+12"], Ids::Cleaned), (ok(&["9.78E+12", "9.79E+12"]), 1));
    }

    #[test]
    fn markers_of_missing_values_are_no_ids_unless_they_are_said_to_be() {
        let (found, _) = ids(&["None", "a", "", "\\N"], Ids::Cleaned);
        let missing = |how: &str| Err(format!("is missing{how}"));
        assert_eq!(found, [missing(" (None)"), Ok("a".to_owned()), missing(""), missing(" (\\N)")]);
        assert_eq!(ids(&["None"], Ids::AsWritten).0, [Ok("None".to_owned())]);
    }
}
