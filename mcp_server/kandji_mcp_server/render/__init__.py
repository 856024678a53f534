"""What a model reads: the shapes of answers, cut to size (``truncate``), without unseen characters (``sanitize``)."""
