"""The provider's API over a world: routes, paging, filters, exports, actions and writes."""
