"""From phrases to records: tf.Examples, the spool, the catalogue, the report."""
