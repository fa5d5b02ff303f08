//! Words with numbers, and text inside other formats: a CSV field, LaTeX, XML and HTML, Markdown, one line.

use std::fmt::{self, Write as _};

/// `1 seed`, `3 seeds`.
pub fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// `3, 4 and 5`, with `and` as the word.
pub fn joined(parts: &[String], word: &str) -> String {
    match parts {
        [before @ .., last] if !before.is_empty() => format!("{} {word} {last}", before.join(", ")),
        parts => parts.concat(),
    }
}

/// A duration in seconds: `<1 s`, `4 s`, `3 min 20 s`, `2 h 05 min`; `–` for what is none.
pub fn duration_words(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "–".to_owned();
    }
    let whole = seconds.round() as u64;
    match whole {
        0 if seconds > 0.0 => "<1 s".to_owned(),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// An amount of memory or of a file: `12 KiB`, `512 MiB`, `1.4 GiB`.
pub fn memory_words(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    match mebibytes {
        1024.0.. => format!("{:.1} GiB", mebibytes / 1024.0),
        0.95.. => format!("{mebibytes:.0} MiB"),
        _ => format!("{:.0} KiB", mebibytes * 1024.0),
    }
}

/// `about 140`, with two significant digits; few are said exactly, and beyond a million no number means anything.
pub fn about(number: u64) -> String {
    match number {
        0..20 => number.to_string(),
        1_000_000.. => "more than a million".to_owned(),
        _ => {
            let step = 10u64.pow(number.ilog10() - 1);
            let rounded = number.div_ceil(step) * step;
            let text = rounded.to_string();
            let grouped = if text.len() > 4 {
                let (thousands, rest) = text.split_at(text.len() - 3);
                format!("{thousands}\u{202f}{rest}")
            } else {
                text
            };
            format!("about {grouped}")
        }
    }
}

/// A CSV field (RFC 4180): in quotes where it has to be. What a spreadsheet would take for a formula begins with an apostrophe, by
/// which spreadsheets show it as it is; numbers stay numbers.
pub fn csv_field(text: &str) -> String {
    let number = text.trim_end_matches(['%', ' ']).parse::<f64>().is_ok();
    let formula = text.len() > 1 && text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number;
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Text with everything escaped that LaTeX reads as a command, or that its usual fonts lack.
pub fn latex_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (index, character) in text.char_indices() {
        match character {
            // After the end of a row they would be an option of it.
            '[' | '*' if index == 0 => escaped.extend(['{', character, '}']),
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
            '−' => escaped.push_str("$-$"),
            'Δ' => escaped.push_str("$\\Delta$"),
            'Σ' => escaped.push_str("$\\Sigma$"),
            'ρ' => escaped.push_str("$\\rho$"),
            'η' => escaped.push_str("$\\eta$"),
            '≥' => escaped.push_str("$\\geq$"),
            '≤' => escaped.push_str("$\\leq$"),
            '→' => escaped.push_str("$\\to$"),
            '▲' => escaped.push_str("$\\uparrow$"),
            '▼' => escaped.push_str("$\\downarrow$"),
            '\u{202f}' => escaped.push_str("\\,"),
            // They join, part or direct letters and are drawn as nothing.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {}
            '\n' | '\r' | '\t' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A comment on letters of a LaTeX text that pdfLaTeX has no font for; nothing where there are none.
pub fn latex_comment(latex: &str) -> &'static str {
    // Latin letters and the usual signs of text.
    let usual = |letter: char| letter < '\u{180}' || ('\u{2010}'..='\u{203a}').contains(&letter);
    if latex.chars().all(usual) {
        return "";
    }
    "% some names have letters beyond Latin: use XeLaTeX or LuaLaTeX with a font that has them\n"
}

/// Text without line breaks: a cell of a Markdown table, or a comment in LaTeX, which one would end.
pub fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Text inside XML or HTML, between tags or in a quoted attribute: markup escaped, characters that XML forbids replaced.
#[derive(Debug, Clone, Copy)]
pub struct Markup<'a>(pub &'a str);

impl fmt::Display for Markup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\t' | '\n' | '\r' => f.write_char(' ')?,
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                _ => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Text in one line of Markdown, or in a cell of a table of it, in which nothing is read as markup or as HTML.
pub fn markdown_escaped(text: &str) -> String {
    let text = one_line(text);
    let mut escaped = String::with_capacity(text.len());
    // `- `, `+ ` and `12. ` at the beginning of a line are lists.
    let start = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let lists = text[start..].starts_with(['-', '+', '.', ')'])
        && text[start + 1..].chars().next().is_none_or(|next| next == ' ');
    for (index, letter) in text.char_indices() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' | '#' => escaped.extend(['\\', letter]),
            _ if index == start && lists => escaped.extend(['\\', letter]),
            // A bare address becomes a link.
            ':' if text[index..].starts_with("://") => escaped.push_str("&#58;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_said_as_people_say_them() {
        assert_eq!(
            [3, 137, 7849, 12_345, 2_000_000].map(about),
            ["3", "about 140", "about 7900", "about 13\u{202f}000", "more than a million"]
        );
    }

    #[test]
    fn durations_and_amounts_are_in_units_that_suit_them() {
        assert_eq!(
            [0.0, 0.4, 4.4, 59.7, 200.0, 7500.0, f64::NAN, -1.0].map(duration_words),
            ["0 s", "<1 s", "4 s", "1 min 00 s", "3 min 20 s", "2 h 05 min", "–", "–"]
        );
        assert_eq!(
            [0, 12 << 10, 1 << 20, 512 << 20, 3 << 29].map(memory_words),
            ["0 KiB", "12 KiB", "1 MiB", "512 MiB", "1.5 GiB"]
        );
    }

    #[test]
    fn fields_with_commas_quotes_and_line_breaks_are_quoted() {
        assert_eq!(csv_field("a b"), "a b");
        assert_eq!(csv_field("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(csv_field("a\nb"), "\"a\nb\"");
    }

    #[test]
    fn no_field_is_a_formula_and_numbers_stay_numbers() {
        assert_eq!(csv_field("=SUM(A1:A9)"), "'=SUM(A1:A9)");
        assert_eq!(csv_field("@cmd|' /C calc'!A0"), "'@cmd|' /C calc'!A0");
        assert_eq!(csv_field("-1+cmd|' /C calc'!A0"), "'-1+cmd|' /C calc'!A0");
        assert_eq!(csv_field("-dash, or not"), "\"'-dash, or not\"");
        assert_eq!(
            ["-0.25", "+3", "-1e-7", "-2.5 %", "-", "="].map(csv_field),
            ["-0.25", "+3", "-1e-7", "-2.5 %", "-", "="]
        );
    }

    #[test]
    fn nothing_is_left_that_latex_reads_as_a_command() {
        assert_eq!(
            latex_escaped(r"\a{b}~^<$#"),
            r"\textbackslash{}a\{b\}\textasciitilde{}\textasciicircum{}\textless{}\$\#"
        );
        assert_eq!(latex_escaped("[x] *"), "{[}x] *");
        assert_eq!(latex_escaped("a\u{200b}b −1 ▲"), r"ab $-$1 $\uparrow$");
        assert_eq!(latex_comment("Zoë – PESO"), "");
        assert!(latex_comment("日本語").starts_with("% ") && latex_comment("日本語").ends_with('\n'));
        assert_eq!(latex_escaped("0.1 ± 0.2 – λ…\n"), r"0.1 $\pm$ 0.2 -- $\lambda$\ldots{} ");
    }

    #[test]
    fn nothing_is_left_that_xml_html_or_markdown_read_as_markup() {
        assert_eq!(Markup("<b a=\"x\">&\u{1}\n").to_string(), "&lt;b a=&quot;x&quot;&gt;&amp;\u{fffd} ");
        assert_eq!(markdown_escaped("a|b *c* <d> [e](f)"), "a\\|b \\*c\\* &lt;d&gt; \\[e\\](f)");
        assert_eq!(markdown_escaped("- a\n# b"), "\\- a \\# b");
        assert_eq!(markdown_escaped("12. a 3.5"), "12\\. a 3.5");
        assert_eq!(markdown_escaped("https://a.b"), "https&#58;//a.b");
    }

    #[test]
    fn a_text_is_one_line() {
        assert_eq!(one_line("a\r\nb"), "a  b");
    }
}
