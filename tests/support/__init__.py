"""What tests share: databases, a browser, and the rule that CI skips nothing."""
