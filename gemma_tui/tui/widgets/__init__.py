"""What the screens are made of. Widgets speak upward by messages and know no store or engine."""
