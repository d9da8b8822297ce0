#include <stdio.h>

#include <vipauth.h>

int main(void) { return puts(vipauth_version()) < 0 || vipauth_abi() != VIPAUTH_ABI; }
