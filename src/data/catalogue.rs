//! The items of a dataset that may not have semantic ids yet.

use super::Item;
use super::interactions::ItemText;

/// Items, and what is written about them: what semantic ids are made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    pub items: Vec<Item>,
    /// By item; as many as items.
    pub texts: Vec<ItemText>,
}

/// Places of ids in ascending order: by value where every id is a number, else by text.
pub fn order_of_ids<I: AsRef<str>>(ids: &[I]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..ids.len()).collect();
    match ids.iter().map(|id| id.as_ref().parse::<u64>().ok()).collect::<Option<Vec<_>>>() {
        Some(values) => order.sort_by_key(|&row| (values[row], ids[row].as_ref())),
        None => order.sort_by_key(|&row| ids[row].as_ref()),
    }
    order
}

#[cfg(test)]
mod tests {
    use super::order_of_ids;

    #[test]
    fn numeric_ids_are_ordered_by_value_others_by_text() {
        assert_eq!(order_of_ids(&["10", "9", "100"]), [1, 0, 2]);
        assert_eq!(order_of_ids(&["10", "9", "b"]), [0, 1, 2]);
    }
}
