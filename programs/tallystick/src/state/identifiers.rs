//! Check digits of identifiers, and text as it is stored.

/// Check digit of an ISIN: ISO 6166, Luhn over the digits of its characters.
pub fn is_isin(isin: &[u8; 12]) -> bool {
    let mut digits = [0u8; 24];
    let mut length = 0;
    for (index, byte) in isin.iter().enumerate() {
        let value = match byte {
            b'0'..=b'9' if index >= 2 => byte - b'0',
            b'A'..=b'Z' if index < 11 => byte - b'A' + 10,
            _ => return false,
        };
        if value > 9 {
            digits[length] = value / 10;
            length += 1;
        }
        digits[length] = value % 10;
        length += 1;
    }
    let sum: u32 = digits[..length]
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Check digits of an LEI: ISO 17442, ISO 7064 mod 97-10.
pub fn is_lei(lei: &[u8; 20]) -> bool {
    let mut remainder: u32 = 0;
    for (index, byte) in lei.iter().enumerate() {
        let digit = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            b'A'..=b'Z' if index < 18 => u32::from(byte - b'A') + 10,
            _ => return false,
        };
        remainder = (remainder * if digit > 9 { 100 } else { 10 } + digit) % 97;
    }
    remainder == 1
}

/// Text as this program stores it: UTF-8 without control characters, zero padded on the right, not empty.
pub fn is_text(bytes: &[u8]) -> bool {
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, padding) = bytes.split_at(length);
    length > 0
        && padding.iter().all(|byte| *byte == 0)
        && core::str::from_utf8(text).is_ok_and(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isin_needs_its_check_digit() {
        for isin in [b"US0378331005", b"US5949181045", b"US67066G1040", b"DE000BAY0017"] {
            assert!(is_isin(isin));
        }
        for isin in [b"US0378331006", b"US037833100A", b"us0378331005", b"0S0378331005"] {
            assert!(!is_isin(isin));
        }
    }

    #[test]
    fn an_lei_needs_its_check_digits() {
        assert!(is_lei(b"HWUPKR0MPOU8FGXBT394"));
        assert!(!is_lei(b"HWUPKR0MPOU8FGXBT395"));
        assert!(!is_lei(b"hwupkr0mpou8fgxbt394"));
        assert!(!is_lei(b"HWUPKR0MPOU8FGXBT3A4"));
    }

    #[test]
    fn text_is_padded_on_the_right_only() {
        assert!(is_text(b"Example\0\0"));
        assert!(!is_text(b"\0Example"));
        assert!(!is_text(b"Exa\0mple"));
        assert!(!is_text(b"Exa\nmple"));
        assert!(!is_text(&[0; 4]));
        assert!(!is_text(&[0xff, 0xfe, 0]));
    }
}
