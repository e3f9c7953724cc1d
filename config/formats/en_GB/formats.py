"""British dates in full: "22 December 2026". Letters and pages name dates that people must not misread."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i"
