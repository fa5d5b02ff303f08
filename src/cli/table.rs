//! Tables in aligned columns, as CSV, as LaTeX and as Markdown.

use crate::figures::measures::{Definition, definitions};
use crate::text::{csv_field, latex_comment, latex_escaped, one_line};

/// Rows of cells; the first row is the heading.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    /// Columns up to this one are set to the left, the others to the right.
    left: usize,
}

impl Table {
    /// A table with its heading, whose first `left` columns are words and the others numbers.
    pub(super) fn new<S: Into<String>>(left: usize, heading: impl IntoIterator<Item = S>) -> Self {
        Self { rows: vec![heading.into_iter().map(Into::into).collect()], left }
    }

    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The cells of the first row.
    pub(super) fn heading(&self) -> &[String] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }

    /// Lines ended by line feeds, columns two spaces apart.
    pub(super) fn to_text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell: &String| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if column < self.left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// As CSV (RFC 4180), ended by a line feed.
    pub(super) fn to_csv(&self) -> String {
        let row = |cells: &Vec<String>| cells.iter().map(|cell| csv_field(cell)).collect::<Vec<_>>().join(",") + "\n";
        self.rows.iter().map(row).collect()
    }

    /// As a Markdown table, words to the left and numbers to the right.
    pub(super) fn to_markdown(&self) -> String {
        let row = |cells: &Vec<String>| {
            let cells: Vec<String> = cells.iter().map(|cell| one_line(cell).replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut rows = self.rows.iter();
        let heading = rows.next().map(|cells| {
            let rule = |column| if column < self.left { "---" } else { "---:" };
            let rules: Vec<&str> = (0..cells.len()).map(rule).collect();
            format!("{}|{}|\n", row(cells), rules.join("|"))
        });
        heading.into_iter().chain(rows.map(row)).collect()
    }

    /// As a LaTeX table (booktabs) under a comment of one line.
    pub(super) fn to_latex(&self, comment: &str) -> String {
        let row = |cells: &Vec<String>| cells.iter().map(|cell| latex_escaped(cell)).collect::<Vec<_>>().join(" & ");
        let columns = self.rows.first().map_or(0, Vec::len);
        let (left, right) = ("l".repeat(self.left), "r".repeat(columns.saturating_sub(self.left)));
        let cells = self.rows.iter().flatten().map(|cell| latex_escaped(cell)).collect::<String>();
        let mut text = latex_comment(&cells).to_owned();
        text += &format!("% {}\n\\begin{{tabular}}{{{left}{right}}}\n\\toprule\n", one_line(comment));
        for (index, cells) in self.rows.iter().enumerate() {
            text.push_str(&format!("{} \\\\\n", row(cells)));
            if index == 0 {
                text.push_str("\\midrule\n");
            }
        }
        text + "\\bottomrule\n\\end{tabular}\n"
    }
}

/// What columns of these headings mean, as far as they are measures: a line each, below an empty one.
pub(super) fn explained<'h>(headings: impl IntoIterator<Item = &'h str>) -> String {
    let mut table = Table::new(2, ["Column", "Meaning"]);
    for Definition { label, text } in definitions(headings) {
        table.row([label, text]);
    }
    format!("\n{}", table.to_text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let mut table = Table::new(1, ["Name", "n"]);
        table.row(["Zoë", "10"]);
        assert_eq!(table.to_text(), "Name   n\nZoë   10\n");
    }

    #[test]
    fn markdown_has_a_rule_under_its_heading_and_no_stray_bars() {
        let mut table = Table::new(1, ["Name", "n"]);
        table.row(["a|b", "10"]);
        assert_eq!(table.to_markdown(), "| Name | n |\n|---|---:|\n| a\\|b | 10 |\n");
    }

    #[test]
    fn words_with_a_meaning_in_the_format_are_escaped() {
        let mut table = Table::new(1, ["A & B", "n"]);
        table.row(["a, \"b\"", "0.1 ± 0.2"]);
        assert_eq!(table.to_csv(), "A & B,n\n\"a, \"\"b\"\"\",0.1 ± 0.2\n");
        let latex = table.to_latex("50 % of\nall");
        assert!(
            latex.starts_with("% 50 % of all\n\\begin{tabular}{lr}\n\\toprule\nA \\& B & n \\\\\n\\midrule\n"),
            "{latex}"
        );
        assert!(latex.contains("0.1 $\\pm$ 0.2 \\\\\n\\bottomrule"), "{latex}");
    }
}
