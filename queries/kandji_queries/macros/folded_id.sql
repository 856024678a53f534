-- title: A serial number as a search compares it
-- description: Like folded(), without blanks, hyphens, colons and dots at all, for serial numbers, asset tags, IMEIs and
--   hardware addresses: folded_id('j7p0 89j2-wkt6') is j7p089j2wkt6. NULL where nothing is left.
CREATE MACRO folded_id(text) AS nullif(regexp_replace(folded(text), '[{{dropped}}]', '', 'g'), '');
