// Linked to what vctl is linked to, and does nothing: what vctl costs before it begins.

int main() {}
