"""The viewing room: which volumes there are, what each pane shows of them, and how the panes are linked."""
