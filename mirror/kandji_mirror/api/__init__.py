"""The provider's API: reached, paid for, read page by page."""
