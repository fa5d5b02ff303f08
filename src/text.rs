//! Words with numbers, and text inside other formats: a CSV field, LaTeX, one line.

/// `1 seed`, `3 seeds`.
pub fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A CSV field (RFC 4180): in quotes where it has to be.
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Text with everything escaped that LaTeX reads as a command, or that its usual fonts lack.
pub fn latex_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', character]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '±' => escaped.push_str("$\\pm$"),
            'λ' => escaped.push_str("$\\lambda$"),
            '–' => escaped.push_str("--"),
            '…' => escaped.push_str("\\ldots{}"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Text without line breaks: a cell of a Markdown table, or a comment in LaTeX, which one would end.
pub fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_with_commas_quotes_and_line_breaks_are_quoted() {
        assert_eq!(csv_field("a b"), "a b");
        assert_eq!(csv_field("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(csv_field("a\nb"), "\"a\nb\"");
    }

    #[test]
    fn nothing_is_left_that_latex_reads_as_a_command() {
        assert_eq!(
            latex_escaped(r"\a{b}~^<$#"),
            r"\textbackslash{}a\{b\}\textasciitilde{}\textasciicircum{}\textless{}\$\#"
        );
        assert_eq!(latex_escaped("0.1 ± 0.2 – λ…\n"), r"0.1 $\pm$ 0.2 -- $\lambda$\ldots{} ");
    }

    #[test]
    fn a_text_is_one_line() {
        assert_eq!(one_line("a\r\nb"), "a  b");
    }
}
