//! Which columns of a table are what, by their values: where no line names them, or names do not say enough.

use std::collections::HashSet;

use crate::calendar;
use crate::data::formats::plan::Roles;
use crate::data::formats::telling::sample::is_number;

/// Ratings that a scale has, at most, and the largest of them.
const SCALE: usize = 21;
const HIGHEST: f64 = 100.0;
/// Rows without which values tell nothing.
const FEWEST: usize = 4;

/// What the cells of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Dates, or numbers so large that they are times.
    Time,
    /// Few different small numbers.
    Rating,
    /// 0, 1, 2, …
    Count,
    /// Anything, with repetitions.
    Repeated,
    /// Anything, each once.
    Unique,
    /// Times of day.
    Clock,
}

/// What a column looks like; none where it has no values.
pub fn look(rows: &[&[String]], column: usize) -> Option<Look> {
    let cells: Vec<&str> = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.trim()).collect();
    let cells: Vec<&str> = cells.into_iter().filter(|cell| !cell.is_empty()).collect();
    (!cells.is_empty()).then_some(())?;
    // A broken line among the first does not make a column of times another one.
    let most = |fits: &dyn Fn(&str) -> bool| 4 * cells.iter().filter(|cell| fits(cell)).count() >= 3 * cells.len();
    if most(&calendar::is_clock) {
        return Some(Look::Clock);
    }
    if most(&is_time) {
        return Some(Look::Time);
    }
    let distinct: HashSet<&str> = cells.iter().copied().collect();
    let numbers: Vec<f64> = cells.iter().filter_map(|cell| number(cell)).collect();
    if numbers.len() == cells.len() {
        if numbers.len() > 2 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0) {
            return Some(Look::Count);
        }
        let scale = numbers.iter().all(|number| (-10.0..=HIGHEST).contains(number));
        if scale && distinct.len() <= SCALE && (2 * distinct.len() <= numbers.len() || distinct.len() == 1) {
            return Some(Look::Rating);
        }
    }
    Some(if distinct.len() < cells.len() { Look::Repeated } else { Look::Unique })
}

/// The parts of a table whose columns nothing names; none where the values do not tell them.
///
/// The last columns are the time and the rating, where they look like that and like nothing else; what is left must be two columns
/// of ids, of which the first is taken for the user.
pub fn roles(rows: &[&[String]], columns: usize) -> Option<Roles<usize>> {
    (rows.len() >= FEWEST && (3..=6).contains(&columns)).then_some(())?;
    let looks: Vec<Look> = (0..columns).map(|column| look(rows, column)).collect::<Option<_>>()?;
    let times: Vec<usize> = (0..columns).filter(|&column| looks[column] == Look::Time).collect();
    // Ids of few users are small numbers too, and stand first.
    let ratings: Vec<usize> = (2..columns).filter(|&column| looks[column] == Look::Rating).collect();
    let (time, rating) = match (times.as_slice(), ratings.as_slice()) {
        ([], [rating]) => (None, Some(*rating)),
        ([time], []) => (Some(*time), None),
        ([time], [rating]) => (Some(*time), Some(*rating)),
        _ => return None,
    };
    let taken = |column: &usize| Some(*column) == time || Some(*column) == rating;
    let mut ids: Vec<usize> = (0..columns).filter(|column| !taken(column)).collect();
    if ids.len() > 2 {
        // The number of the row is no id.
        ids.retain(|&column| looks[column] != Look::Count);
    }
    let [user, item] = ids.as_slice() else { return None };
    let repeats = [user, item].iter().any(|&&column| matches!(looks[column], Look::Repeated | Look::Rating));
    repeats.then_some(Roles { user: *user, item: *item, time, rating })
}

/// A number, also with a decimal comma.
fn number(text: &str) -> Option<f64> {
    text.replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Whether a text is a date, or so large a number that it is a time.
pub fn is_time(text: &str) -> bool {
    let large = || text.trim().parse::<f64>().is_ok_and(|number| (1e8..1e19).contains(&number));
    // Eight digits of a day; as a number alone they could be an id.
    let day = || {
        text.len() == 8 && text.parse::<u32>().is_ok_and(|day| (19_900_101..=20_991_231).contains(&day) && is_day(day))
    };
    calendar::written(text).is_some() || large() || day()
}

fn is_day(day: u32) -> bool {
    let [year, month, day] = [day / 10_000, day / 100 % 100, day % 100].map(i64::from);
    calendar::days_of(year, month, day).is_some()
}

/// Whether a text is a value rather than a name of a column.
pub fn is_value(text: &str) -> bool {
    is_number(text) || is_time(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: &[[&str; 4]], columns: usize) -> Option<Roles<usize>> {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row[..columns].iter().map(|cell| (*cell).to_owned()).collect()).collect();
        roles(&rows.iter().map(Vec::as_slice).collect::<Vec<_>>(), columns)
    }

    #[test]
    fn a_small_third_number_is_a_rating_and_a_large_one_a_time() {
        let rows = [
            ["a", "x", "5", "1400000000"],
            ["a", "y", "3", "1400000100"],
            ["b", "x", "5", "1400000050"],
            ["b", "z", "3", "1400000000"],
        ];
        let both = Roles { user: 0, item: 1, time: Some(3), rating: Some(2) };
        assert_eq!(found(&rows, 4), Some(both));
        assert_eq!(found(&rows, 3), Some(Roles { user: 0, item: 1, time: None, rating: Some(2) }));
        let dates = rows.map(|[user, item, rating, _]| [user, item, "2014-05-13", rating]);
        assert_eq!(found(&dates, 3), Some(Roles { user: 0, item: 1, time: Some(2), rating: None }));
        assert_eq!(found(&dates, 4), Some(Roles { user: 0, item: 1, time: Some(2), rating: Some(3) }));
    }

    #[test]
    fn where_values_tell_too_little_nothing_is_taken_for_anything() {
        // Ids that never repeat; two columns of times; numbers that are no scale; too few rows.
        let unique = [["a", "x", "5", ""], ["b", "y", "3", ""], ["c", "z", "5", ""], ["d", "w", "3", ""]];
        assert_eq!(found(&unique, 3), None);
        let plays = [["a", "x", "13883", ""], ["a", "y", "11690", ""], ["b", "x", "511", ""], ["b", "z", "98", ""]];
        assert_eq!(found(&plays, 3), None);
        let two = [["a", "x", "1400000000", "1400000001"]; 5];
        assert_eq!(found(&two, 4), None);
        assert_eq!(found(&[["a", "x", "5", ""]; 3], 3), None);
        assert_eq!(found(&[["a", "x", "", ""]; 5], 2), None);
    }
}
