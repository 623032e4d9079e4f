"""Commands per noun: what each holds and its pure decision."""
